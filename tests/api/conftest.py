from pathlib import Path

import pytest
from home_maker import fill, made_up_market


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("home"), made_up_market())
