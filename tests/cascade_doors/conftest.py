"""Homes with the made-up market: as it is, and with a book of half an hour before the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from doors_scenes import END_NS, NAME, Ask, Said, book, fill, market

from liqscape.cli.main import main
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.model.maps import LiquidationMap
from liqscape.store import Table
from liqscape.units import NS_PER_MINUTE


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The market without a book."""
    return fill(tmp_path_factory.mktemp("law"), market())


@pytest.fixture(scope="session")
def book_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The market with a book of half an hour before its end."""
    return fill(tmp_path_factory.mktemp("book"), market() | {Table.DEPTH: book(END_NS - 30 * NS_PER_MINUTE)})


@pytest.fixture(scope="session")
def found(home: Path) -> LiquidationMap:
    """Its newest map."""
    return build_map(Workspace(home), NAME)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run the program with some words and return what it said."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return run
