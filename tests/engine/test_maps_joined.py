"""Joined maps of recorded venues: one minute that all have, nobody stale, all adds up, and the same again for its instant."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from engine_scenes import START, assert_same, market, stored

from liqscape import settings
from liqscape.analytics import caveats_for
from liqscape.api.envelope import meta_of
from liqscape.engine.heat import build_heatmap
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S

BINANCE, BYBIT, OKX = "binance:BTCUSDT", "bybit:BTCUSD", "okx:BTC-USDC-SWAP"
DAYS = 2
END = START + DAYS * NS_PER_DAY
OPEN = {BINANCE: 80_000.0, BYBIT: 20_000.0, OKX: 30_000.0}


def recorded(name, *, until_ns=END, late_s=4.0, last_late_s=None):
    """A venue's minutes until an instant, each known some seconds after its end; the last one may be later."""
    frames = market(DAYS, seed=1, instrument=name, minutes=1, oi=OPEN[name])
    cut = {table: frame.filter(pl.col("ts") < until_ns) for table, frame in frames.items()}
    bars = cut[Table.BARS].with_columns((pl.col("ts") + NS_PER_MINUTE + int(late_s * NS_PER_S)).alias("ts_recv"))
    if last_late_s is not None:
        at = until_ns + int(last_late_s * NS_PER_S)
        bars = bars.with_columns(
            pl.when(pl.col("ts") == pl.col("ts").max()).then(pl.lit(at)).otherwise("ts_recv").alias("ts_recv")
        )
    held = frames[Table.OPEN_INTEREST].filter(pl.col("ts") <= until_ns).with_columns((pl.col("ts") + NS_PER_S).alias("ts_recv"))
    return {**cut, Table.BARS: bars, Table.OPEN_INTEREST: held}


@pytest.fixture(scope="module")
def silent_okx(tmp_path_factory):
    """OKX fell silent forty minutes before the others."""
    stopped = recorded(OKX, until_ns=END - 40 * NS_PER_MINUTE)
    return stored(tmp_path_factory.mktemp("joined"), recorded(BINANCE), recorded(BYBIT), stopped)


def test_a_silent_venue_is_left_out_by_name(silent_okx):
    found = build_map(silent_okx, "BTC")
    assert [str(i) for i in found.instruments] == [BINANCE, BYBIT]
    (left,) = found.left_out
    assert (str(left.instrument), left.behind_ns) == (OKX, 40 * NS_PER_MINUTE)
    (stale,) = [c.text for c in caveats_for(found, "map") if c.code == "STALE"]
    assert stale.startswith(f"LEFT OUT {OKX}: its newest bar ended 2026-01-02T23:20:00Z, 40 min before")
    late = [one for one in meta_of(found).stale if one.left_out]
    assert [(one.instrument, one.at) for one in late] == [(OKX, "2026-01-02T23:20:00Z")]
    assert late[0].age_s == pytest.approx(2404.0)  # forty minutes, and four seconds until the others' last minute was known
    heat = build_heatmap(silent_okx, "BTC", window="12h", rows=200)
    assert [one.instrument for one in heat.left_out] == [left.instrument]


def test_what_the_venues_bring_adds_up(silent_okx):
    found = build_map(silent_okx, "BTC")
    parts = [build_map(silent_okx, name) for name in (BINANCE, BYBIT)]
    # One path of prices, so that all marks are equal and buckets may be compared; contracts and dollars are sums.
    for side in ("short", "long"):
        sums = sum(getattr(part, side).usd for part in parts)
        np.testing.assert_allclose(getattr(found, side).usd, sums, rtol=1e-9)
    assert found.open_interest_usd == pytest.approx(sum(part.open_interest_usd for part in parts))
    coverage = meta_of(found).coverage
    assert [part.instrument for part in coverage.parts] == [BINANCE, BYBIT]
    assert sum(part.share for part in coverage.parts) == pytest.approx(1.0)
    for part, one in zip(coverage.parts, parts, strict=True):
        assert part.open_interest_usd == pytest.approx(one.open_interest_usd)
        assert part.share == pytest.approx(one.open_interest_usd / found.open_interest_usd)
    assert [(part.quote, part.contract) for part in coverage.parts] == [("USDT", "linear"), ("USD", "inverse")]


def test_the_limit_is_a_setting(silent_okx, tmp_path):
    settings.store("stale_after", "1h", silent_okx.home)
    try:
        found = build_map(Workspace(silent_okx.home), "BTC")
    finally:
        settings.store("stale_after", None, silent_okx.home)
    assert len(found.inputs) == 3
    assert found.left_out == ()
    # It is joined as it was; the prompt ones do not wait for it.
    assert [each.last_bar_end_ns for each in found.inputs] == [END, END, END - 40 * NS_PER_MINUTE]
    assert found.as_of_ns == END + 4 * NS_PER_S


@pytest.mark.parametrize(("late_s", "as_of_s"), [(4.0, 4.0), (95.0, 95.0)])
def test_a_minute_counts_when_the_last_venue_told_it(tmp_path, late_s, as_of_s):
    # Binance has told the following minute already; Bybit told its last one `late_s` after its end.
    workspace = stored(tmp_path, recorded(BINANCE), recorded(BYBIT, until_ns=END - NS_PER_MINUTE, last_late_s=late_s))
    found = build_map(workspace, "BTC")
    assert found.as_of_ns == END - NS_PER_MINUTE + int(as_of_s * NS_PER_S)
    assert {each.last_bar_end_ns for each in found.inputs} == {END - NS_PER_MINUTE}
    assert_same(build_map(workspace, "BTC", as_of_ns=found.as_of_ns), found)


def test_one_recorded_venue_has_its_newest_bar_in_the_map(tmp_path):
    found = build_map(stored(tmp_path, recorded(BINANCE)), BINANCE)
    assert found.inputs[0].last_bar_end_ns == END
    assert found.as_of_ns == END + 4 * NS_PER_S


def test_a_venue_without_open_interest_is_left_out_too(tmp_path):
    lame = recorded(OKX)
    del lame[Table.OPEN_INTEREST]
    workspace = stored(tmp_path, recorded(BINANCE), lame)
    found = build_map(workspace, "BTC")
    assert [str(i) for i in found.instruments] == [BINANCE]
    assert "no open interest is stored" in found.left_out[0].reason
    with pytest.raises(NoData, match="no open interest"):
        build_map(workspace, OKX)
