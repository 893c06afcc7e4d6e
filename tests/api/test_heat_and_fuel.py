"""Heatmaps do not repaint and end in the map; the account of fuel adds up."""

import numpy as np
import pytest
from home_maker import fill, made_up_market

import liqscape as ls
from liqscape.errors import BadArgument
from liqscape.store import Table

AS_OF = "2026-01-22T10:30Z"


@pytest.fixture(scope="module")
def heat(home):
    return ls.heatmap("BTC", as_of=AS_OF, window="3d", home=home)


def test_the_last_column_is_the_map(home, heat):
    m = ls.map("BTC", as_of=AS_OF, home=home)
    price = np.sqrt(heat.edge_price[1:] * heat.edge_price[:-1])
    usd = heat.usd_per_permille[:, -1] * np.diff(heat.edge_price) / (0.001 * price)
    for side, near in (("short", (price > m.mark_price) & (price < 1.05 * m.mark_price)), ("long", price > 0.95 * m.mark_price)):
        near = near if side == "short" else near & (price < m.mark_price)
        assert usd[near].sum() == pytest.approx(getattr(m, side).usd[:50].sum(), rel=0.03)


def test_nothing_repaints_and_nothing_later_is_used(home, heat, tmp_path):
    tables = made_up_market()
    cut = ls.map("BTC", as_of="2026-01-21T00:00Z", home=home).as_of_ns
    later = tables[Table.BARS]["ts"] >= cut
    prices = ["open", "high", "low", "close"]
    bars = tables[Table.BARS].with_columns(tables[Table.BARS][name] * (1.0 + 0.3 * later) for name in prices)
    interest, totals = tables[Table.OPEN_INTEREST], tables[Table.LIQUIDATION_TOTALS]
    poisoned = tables | {
        Table.BARS: bars,
        Table.OPEN_INTEREST: interest.with_columns(interest["open_interest_base"] * (1.0 + 4.0 * (interest["ts"] > cut))),
        Table.LIQUIDATION_TOTALS: totals.with_columns(
            totals[name] * (1.0 + 99.0 * (totals["ts"] + totals["interval_ns"] > cut)) for name in ("long_usd", "short_usd")
        ),
    }
    other = ls.heatmap("BTC", as_of=AS_OF, window="3d", within=0.1, home=fill(tmp_path / "h", poisoned))
    mine = ls.heatmap("BTC", as_of=AS_OF, window="3d", within=0.1, home=home)
    known = int(np.sum(mine.start_ns + mine.interval_ns <= cut))
    # The axes differ (the poison widened the price range): compare the dollars of a stretch that both show.
    low, high = 0.92 * mine.close[known - 1], 1.08 * mine.close[known - 1]

    def dollars(h, column):
        centre = np.sqrt(h.edge_price[1:] * h.edge_price[:-1])
        inside = (centre > low) & (centre < high)
        return float((h.usd_per_permille[:, column] * np.diff(h.edge_price) / centre)[inside].sum())

    for column in (known - 200, known - 2, known - 1):
        assert dollars(other, column) == pytest.approx(dollars(mine, column), rel=0.02)
    assert not np.allclose(other.close[known:], mine.close[known:])


def test_a_longer_window_shows_the_same_columns(home, heat):
    longer = ls.heatmap("BTC", as_of=AS_OF, window="6d", home=home)
    shared = heat.start_ns.size
    mine, theirs = heat.usd_per_permille.sum(axis=0), longer.usd_per_permille[:, -shared:].sum(axis=0)
    assert longer.close[-shared:] == pytest.approx(heat.close)
    assert np.isfinite(mine).all()
    assert np.isfinite(theirs).all()


def test_columns_of_an_hour_hold_the_last_bar_and_the_whole_candle(home):
    hourly = ls.heatmap("BTC", as_of="2026-01-22T10:00Z", window="1d", interval="1h", home=home)
    fine = ls.heatmap("BTC", as_of="2026-01-22T10:00Z", window="1d", home=home)
    assert hourly.usd_per_permille.shape[1] == 24
    assert hourly.usd_per_permille[:, -1] == pytest.approx(fine.usd_per_permille[:, -1], rel=1e-6)
    assert hourly.high[-1] == fine.high[-12:].max()
    assert hourly.open[-1] == fine.open[-12]


def test_a_gap_is_not_painted(tmp_path):
    tables = made_up_market()
    bars = tables[Table.BARS]
    gap = (bars["ts"] >= bars["ts"][-600]) & (bars["ts"] < bars["ts"][-588])
    home = fill(tmp_path / "h", tables | {Table.BARS: bars.filter(~gap)})
    heat = ls.heatmap("BTC", window="3d", home=home)
    unknown = np.isnan(heat.usd_per_permille).all(axis=0)
    assert unknown.sum() == 12
    assert np.isnan(heat.close[unknown]).all()
    assert heat.inputs[0].missing_bars == 12


@pytest.mark.parametrize("rows", [2, 7, 50, 51, 333, 1000])
def test_there_are_never_more_rows_than_asked_for(home, rows):
    heat = ls.heatmap("BTC", as_of=AS_OF, window="12h", rows=rows, home=home)
    assert heat.usd_per_permille.shape[0] <= rows
    assert heat.edge_price[0] <= 0.88 * heat.low.min()
    assert heat.edge_price[-1] >= 1.12 * heat.high.max()


def test_bad_axes_are_refused(home):
    for words in ({"rows": 1}, {"within": 0.0}, {"interval": "7m"}):
        with pytest.raises(BadArgument):
            ls.heatmap("BTC", as_of=AS_OF, home=home, **words)


def test_the_account_of_fuel_adds_up_and_agrees_with_the_maps(home):
    then = ls.map("BTC", as_of="2026-01-21T10:30Z", home=home)
    for account in ls.fuel("BTC", since="24h", as_of=AS_OF, within=0.05, home=home):
        left = account.pool_reference_usd - account.burnt_usd - account.closed_usd + account.opened_usd + account.drift_usd
        assert left == pytest.approx(account.pool_now_usd, abs=1e-6 * account.opened_usd)
        pool = getattr(then, str(account.region.side)).usd[:50].sum()
        assert account.pool_reference_usd == pytest.approx(pool, rel=0.01)
        assert account.burnt_usd >= 0.0


def test_what_price_did_not_reach_was_not_burnt(home):
    mark = ls.map("BTC", as_of="2026-01-22T09:30Z", home=home).mark_price
    far = ls.fuel("BTC", since="1h", as_of=AS_OF, range=(1.5 * mark, 1.6 * mark), home=home)
    assert [account.region.side for account in far] == ["short"]
    assert far[0].burnt_usd == 0.0
    assert far[0].burn_ratio is None


def test_fuel_needs_an_earlier_instant(home):
    with pytest.raises(BadArgument, match="since"):
        ls.fuel("BTC", since="2026-01-23", as_of=AS_OF, home=home)
    with pytest.raises(BadArgument, match="24h"):
        ls.fuel("BTC", since="soon", as_of=AS_OF, home=home)
