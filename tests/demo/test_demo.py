"""The demo on a market small enough for a test: one folder, everything labelled, numbers that can be added up again."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from liqscape.cli.demo import WITHIN, Demo, run_demo
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.testing.market import MarketConfig

SMALL = MarketConfig(days=4.0, warmup_days=1.0, accounts=400)


def _run(folder: Path, seed: int = 3) -> tuple[Demo, str]:
    out = io.StringIO()
    console = Console(file=out, width=120)
    found = run_demo(folder, seed=seed, quiet=True, config=SMALL, console=console, compile_ahead=False)
    return found, out.getvalue()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, str]:
    return _run(tmp_path_factory.mktemp("demo") / "demo")


def test_everything_stays_in_the_folder(demo: tuple[Demo, str]) -> None:
    found, _ = demo
    names = {path.name for path in found.folder.iterdir()}
    assert names == {"dataset", "home", "map.png", "heatmap.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in found.pictures)


def test_true_pools_are_those_of_the_written_truth(demo: tuple[Demo, str]) -> None:
    # A short liquidated at 1.015 x mark stands within 2 % and not within 1 %.
    found, _ = demo
    mark = found.map.mark_price
    truth = pl.read_parquet(found.folder / "dataset" / "truth.parquet")
    truth = truth.filter(pl.col("ts") == pl.col("ts").max())
    shorts = truth.filter((pl.col("sign") < 0) & pl.col("liquidation_price").is_not_null())
    for row in found.windows:
        near = shorts.filter(pl.col("liquidation_price") < mark * (1.0 + row.distance))
        expected = (near["quantity_base"] * near["liquidation_price"]).sum()
        assert row.true_short_usd == pytest.approx(expected, rel=1e-9)


def test_estimated_pools_grow_with_distance_and_have_intervals(demo: tuple[Demo, str]) -> None:
    found, _ = demo
    assert tuple(row.distance for row in found.windows) == WITHIN
    for side in ("short", "long"):
        medians = [getattr(row, side).median for row in found.windows]
        assert medians == sorted(medians)
        assert all(getattr(row, side).lo < getattr(row, side).median < getattr(row, side).hi for row in found.windows)


def test_it_says_simulated_and_what_to_do_next(demo: tuple[Demo, str]) -> None:
    found, text = demo
    assert found.map.simulated
    assert text.startswith("SIMULATED")
    assert "W1" in text
    assert "Potential, not a forecast." in text.replace("\n", " ")
    assert f"LIQSCAPE_HOME={found.folder / 'home'} liqscape map BTC" in text


def test_again_with_another_seed_replaces_the_first(tmp_path: Path) -> None:
    first, _ = _run(tmp_path)
    again, _ = _run(tmp_path)
    assert again.windows == first.windows
    other, _ = _run(tmp_path, seed=4)
    assert other.windows != first.windows
    assert len(Workspace(tmp_path / "home").stored()) == 1


def test_a_home_with_other_data_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.toml").write_text('window = "30d"\n', encoding="utf-8")
    with pytest.raises(BadArgument, match="no demo made"):
        _run(tmp_path)
    assert (tmp_path / "home" / "settings.toml").exists()
