"""Homes that tests read; what writes into one makes its own copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from record_scenes import NAME, frames, stored

from liqscape.api.record import refresh_verdict
from liqscape.engine.workspace import Workspace
from liqscape.model import InstrumentId
from liqscape.validate.verdict import Verdict


@pytest.fixture(scope="session")
def plain_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market that was never scored."""
    return stored(tmp_path_factory.mktemp("plain"), frames()).home


@pytest.fixture(scope="session")
def scored(plain_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Verdict]:
    """The same market with its verdict."""
    home = tmp_path_factory.mktemp("scored") / "home"
    shutil.copytree(plain_home, home)
    return home, refresh_verdict(Workspace(home), InstrumentId.parse(NAME))


@pytest.fixture
def home(scored: tuple[Path, Verdict], tmp_path: Path) -> Path:
    """A home with a verdict that the test may change."""
    return Path(shutil.copytree(scored[0], tmp_path / "home"))
