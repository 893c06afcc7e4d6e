"""What absorbs: a fresh book, else the law, else nothing; and it says which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from doors_scenes import END_NS, NAME, M, book, fill, market

from liqscape.cascade import Basis, Direction, map_distance
from liqscape.cascade.absorption import IMPACT_Y, REFILL
from liqscape.engine.brakes import Preset, build_brakes, parse_preset, recent_bars, stored_book
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import InstrumentId
from liqscape.model.maps import LiquidationMap
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

BTC = InstrumentId.parse(NAME)


def test_without_a_book_the_law_stands_in_and_says_so(home: Path, found: LiquidationMap) -> None:
    workspace = Workspace(home)
    bars = recent_bars(workspace, found)
    made = build_brakes(workspace, found, bars, map_distance(found.long, found.mark_price))
    assert made.within_15_min.basis is Basis.IMPACT_LAW
    assert made.book is None
    assert made.volume is not None
    assert found.sigma_1d is not None
    # 288 bars of a million base each
    assert made.volume.usd == pytest.approx(288e6 * bars[0].close[-288:].mean())
    assert made.volume.end_ns == END_NS
    # B(x) = V (x / (Y sigma))^2 from 0.5 % on
    expected = made.volume.usd * (0.01 / (IMPACT_Y.median * found.sigma_1d)) ** 2
    assert np.median(made.within_15_min.at(Direction.UP, 0.01)) == pytest.approx(expected, rel=0.02)
    # the simulation in time refills by itself, so that it starts from what stands
    assert np.median(made.standing.at(Direction.UP, 0.01)) == pytest.approx(expected / REFILL.median, rel=0.02)
    assert made.notes[0] == f"no order book of {NAME} is stored"


def test_a_fresh_book_is_used_and_refills(book_home: Path, found: LiquidationMap) -> None:
    workspace = Workspace(book_home)
    made = build_brakes(workspace, found, recent_bars(workspace, found), map_distance(found.long, found.mark_price))
    assert made.within_15_min.basis is Basis.BOOK
    assert made.volume is None
    for way, usd in ((Direction.UP, 2.0 * M), (Direction.DOWN, 4.0 * M)):
        assert np.median(made.within_15_min.at(way, 0.01)) == pytest.approx(usd * REFILL.median, rel=0.1)
        assert np.median(made.standing.at(way, 0.01)) == pytest.approx(usd, rel=0.1)


def test_a_book_is_neither_used_before_it_was_seen_nor_after_an_hour(book_home: Path) -> None:
    workspace, seen = Workspace(book_home), END_NS - 30 * NS_PER_MINUTE
    assert stored_book(workspace, (BTC,), seen - 1) == (None, (f"no order book of {NAME} is stored",))
    assert stored_book(workspace, (BTC,), seen)[0] is not None
    assert stored_book(workspace, (BTC,), seen + NS_PER_HOUR)[0] is not None
    late, why = stored_book(workspace, (BTC,), seen + 3 * NS_PER_HOUR)
    assert late is None
    assert why == (f"the newest stored book of {NAME} is 3.0 h old: not used",)


def test_books_of_several_instruments_are_summed_up_to_the_nearest_end(tmp_path: Path) -> None:
    other = book(END_NS).with_columns(pl.lit("other:BTCUSDT").alias("instrument")).head(20)  # to 2 %
    home = fill(tmp_path, {Table.DEPTH: pl.concat([book(END_NS), other])})
    both, _ = stored_book(Workspace(home), (BTC, InstrumentId.parse("other:BTCUSDT")), END_NS)
    assert both is not None
    assert both.within(Direction.UP, 0.01) == pytest.approx(4.0 * M)
    assert both.within(Direction.DOWN, 0.01) == pytest.approx(8.0 * M)
    assert both.distance[-1] == 0.02


def test_older_volume_is_used_and_its_age_told(tmp_path: Path) -> None:
    tables = market()
    dark = pl.col("ts") >= END_NS - 10 * NS_PER_DAY
    bars = tables[Table.BARS].with_columns(pl.when(dark).then(None).otherwise(pl.col("volume_base")).alias("volume_base"))
    workspace = Workspace(fill(tmp_path, tables | {Table.BARS: bars}))
    from liqscape.engine.maps import build_map

    found = build_map(workspace, NAME)
    made = build_brakes(workspace, found, recent_bars(workspace, found), map_distance(found.long, found.mark_price))
    assert made.volume is not None
    assert END_NS - made.volume.end_ns == pytest.approx(10 * NS_PER_DAY, abs=NS_PER_DAY * 0.06)
    assert "10 d before: none is stored since" in made.notes[-1]


def test_no_book_and_no_volume_is_an_error_not_a_guess(home: Path, found: LiquidationMap) -> None:
    workspace = Workspace(home)
    bars = recent_bars(workspace, found)
    unknown = tuple(replace(one, volume_base=np.full(len(one), np.nan)) for one in bars)
    with pytest.raises(NoData, match="no day with volume"):
        build_brakes(workspace, found, unknown, map_distance(found.long, found.mark_price))
    with pytest.raises(NoData, match="volatility is not known"):
        build_brakes(workspace, replace(found, sigma_1d=None), bars, map_distance(found.long, found.mark_price))


def test_presets_thin_the_market(home: Path, found: LiquidationMap) -> None:
    workspace = Workspace(home)
    bars, distance = recent_bars(workspace, found), map_distance(found.long, found.mark_price)
    depth = [np.median(build_brakes(workspace, found, bars, distance, p).standing.at(Direction.UP, 0.01)) for p in Preset]
    assert depth[1] / depth[0] == pytest.approx(0.72, rel=0.05)
    assert depth[2] / depth[0] == pytest.approx(0.07, rel=0.3)
    with pytest.raises(BadArgument, match="thin-hour"):
        parse_preset("crowded")
