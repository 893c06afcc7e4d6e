import pytest
from served import Asker, make_home


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A home with twenty simulated days of one instrument."""
    return make_home(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def get(home):
    """Ask the server: `get(path, ..) -> response(s)`."""
    asker = Asker(home)
    yield asker
    asker.close()
