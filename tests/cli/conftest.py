"""A store with a simulated market in it, and the program to ask it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_said import NAME, Ask, Said

from liqscape.cli.main import main
from liqscape.testing.market import MarketConfig, SimulatedMarket, write_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve days of a small simulated market, as a folder that can be imported."""
    config = MarketConfig(days=12, warmup_days=2, accounts=400)
    return write_dataset(SimulatedMarket(config, seed=11).run(), tmp_path_factory.mktemp("dataset"))


@pytest.fixture(scope="session")
def home(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder that holds the simulated market. Tests read it and leave it as it is."""
    folder = tmp_path_factory.mktemp("home")
    assert main(["import", str(dataset), "--home", str(folder), "--json", "--quiet"]) == 0
    return folder


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run the program with some words and return what it said."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return run


@pytest.fixture
def ask_home(ask: Ask, home: Path) -> Ask:
    """Ask about the stored market."""

    def run(command: str, *words: object) -> Said:
        return ask(command, NAME, *words, "--home", home)

    return run
