"""The Python door: one line to a map, the same numbers in every reading, frames of everything."""

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from home_maker import fill, made_up_market

import liqscape as ls
from liqscape.errors import BadArgument, NoData, UnknownInstrument
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

AS_OF = "2026-01-22T10:30Z"


@pytest.fixture(scope="module")
def m(home):
    return ls.map("BTC", as_of=AS_OF, home=home)


def test_a_bare_import_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys, time; t = time.perf_counter(); import liqscape; d = time.perf_counter() - t;"
        "heavy = {'numpy', 'numba', 'polars', 'matplotlib', 'fastapi', 'typer', 'deltalake', 'pydantic'} & set(sys.modules);"
        "assert not heavy, heavy; print(d)"
    )
    best = min(float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout) for _ in range(3))
    assert best < 0.15


def test_words_of_the_door_survive_rooms_of_the_same_name(m, tmp_path):
    import liqscape.plot  # noqa: F401 - a room called like a word

    path = tmp_path / "m.png"
    ls.plot(m, path)
    assert path.stat().st_size > 10_000


def test_unknown_words_are_attribute_errors():
    with pytest.raises(AttributeError, match="no_such_word"):
        _ = ls.no_such_word


def test_a_map_prints_itself_in_fourteen_lines(m):
    lines = repr(m).splitlines()
    assert len(lines) <= 14
    assert "test:BTCUSDT" in lines[0]
    assert "Potential, not a forecast" in lines[1]
    assert "<svg" in m._repr_html_()


def test_levels_pools_and_moves_are_one_set_of_numbers(m):
    levels = ls.frame(m)
    for row in ls.asymmetry(m, within="1%,2%,5%,10%").within:
        near = levels.filter(abs(levels["distance"]) < row.distance)
        assert near["short_usd"].sum() == pytest.approx(row.short_pool_usd.median, rel=1e-9)
        assert near["long_usd"].sum() == pytest.approx(row.long_pool_usd.median, rel=1e-9)
    pool = ls.asymmetry(m, within=0.05).within[0].short_pool_usd.median
    move = ls.move_to(m, usd=pool).moves[0].up
    assert move.distance == pytest.approx(0.05, rel=1e-6)


def test_a_reading_of_a_name_equals_that_of_its_map(m, home):
    assert ls.asymmetry("BTC", as_of=AS_OF, home=home).within == ls.asymmetry(m).within
    with pytest.raises(BadArgument, match="already built"):
        ls.asymmetry(m, window="30d")


def test_frames_of_everything(m, home):
    assert ls.frame(ls.move_to(m)).height == 7
    assert {"short_pool_usd", "short_pool_usd_lo", "ratio_hi"} <= set(ls.frame(ls.asymmetry(m)).columns)
    assert ls.frame(ls.ladder(m)).height == 20
    assert ls.frame(ls.tilt(m)).height == 1
    assert ls.frame(ls.fuel("BTC", since="24h", as_of=AS_OF, home=home)).height == 2
    assert ls.frame(ls.liquidations("BTC", as_of=AS_OF, window="2d", home=home)).height == 47
    assert isinstance(ls.zones(m, top=2).zones, tuple)
    assert m.to_numpy().shape == (1000, 3)
    assert isinstance(m.to_pandas(), pd.DataFrame)
    with pytest.raises(BadArgument, match="expected a map"):
        ls.frame(3)


def test_liquidations_of_the_hour_that_is_not_over_are_not_known_yet(home):
    part = ls.liquidations("BTC", as_of=AS_OF, home=home)[0]
    assert part.series.start_ns[-1] == ls.map("BTC", as_of="2026-01-22T09:00Z", home=home).as_of_ns


def test_filters_say_so(m, home):
    only = ls.map("BTC", as_of=AS_OF, side="short", leverage="10-50", home=home)
    assert only.filters == {"side": "short", "leverage": "10-50"}
    assert only.long.usd.sum() == 0.0
    assert 0.0 < only.short.usd.sum() < m.short.usd.sum()


def test_funding_change_and_volatility_are_of_their_time(m):
    assert m.funding_rate == 1e-4
    # 12 steps of 0.12 % per bar, 288 bars a day: about 0.0012 * sqrt(12 * 288) = 7 %
    assert m.sigma_1d == pytest.approx(0.07, rel=0.35)
    assert m.price_change_24h is not None


def test_errors_say_what_to_do_next(home, tmp_path):
    with pytest.raises(UnknownInstrument, match="test:BTCUSDT"):
        ls.map("DOGE", home=home)
    with pytest.raises(UnknownInstrument, match="liqscape import"):
        ls.map("BTC", home=tmp_path / "empty")
    with pytest.raises(BadArgument, match="2026-01-30T22:55Z"):
        ls.map("BTC", as_of="yesterday", home=home)
    with pytest.raises(NoData):
        ls.map("BTC", as_of="2020-01-01", home=home)
    with pytest.raises(NoData, match="reported_share"):
        ls.map("BTC", as_of=AS_OF, reading="true", home=home)
    with pytest.raises(BadArgument, match="published or true"):
        ls.map("BTC", reading="real", home=home)
    assert not (tmp_path / "empty").exists()


def test_instruments_lists_what_is_stored(home):
    assert ls.instruments(home=home) == ("test:BTCUSDT",)


def test_import_data_takes_a_path_and_says_what_it_did(tmp_path):
    csv = tmp_path / "bars.csv"
    csv.write_text("ts,open,high,low,close\n2026-01-01T00:00Z,1,2,0.5,1.5\n2026-01-01T00:05Z,1.5,2,1,1.2\n")
    report = ls.import_data(csv, instrument="binance:XUSDT", price_kind="mark", home=tmp_path / "h")
    assert report.rows_kept == 2
    assert ls.instruments(home=tmp_path / "h") == ("binance:XUSDT",)


def test_window_limits_what_builds_the_state(home):
    short = ls.map("BTC", as_of=AS_OF, window="10d", home=home)
    assert short.inputs[0].window_to_ns - short.inputs[0].window_from_ns <= 10 * NS_PER_DAY
    assert np.isfinite(short.short.usd).all()


def test_sums_that_begin_off_the_clock_are_refused_in_words(tmp_path):
    tables = made_up_market(days=10)
    four = tables[Table.LIQUIDATION_TOTALS].with_columns(pl.lit(4 * NS_PER_HOUR).cast(pl.Int64).alias("interval_ns"))[1::4]
    late = fill(tmp_path / "h", tables | {Table.LIQUIDATION_TOTALS: four})
    with pytest.raises(BadArgument, match=r"begin 60 min after the multiples of 4\.0 h"):
        ls.map("BTC", home=late)
