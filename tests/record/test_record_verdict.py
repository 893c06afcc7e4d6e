"""The badge: its rules by hand, where it is kept, when it stops speaking for a map."""

import msgspec
import pytest
from record_scenes import NAME, frames, stored

from liqscape.clock import parse_instant
from liqscape.engine.verdict import Badge, badge
from liqscape.engine.workspace import Workspace
from liqscape.estimate import MODEL
from liqscape.model import InstrumentId
from liqscape.store import read_bars, read_liquidations
from liqscape.units import NS_PER_DAY
from liqscape.validate.bootstrap import Value
from liqscape.validate.verdict import Lift, SideScores, State, inputs_hash, judge, read_verdict, store_verdict

ONE = InstrumentId.parse(NAME)


def lift_of(lo, hi):
    middle = 0.5 * (lo + hi)
    return Lift(
        lift=Value(middle, lo, hi), over_chance=Value(1.3), share=0.3, chance=0.25, expected=0.3 / middle, perfect=0.4,
        source="sums", horizon_ns=1, step=0.0005, maps=9, days=9, located=0.8, bins=(),
    )  # fmt: skip


def sides(long=0.8, short=0.8):
    return tuple(
        SideScores(side=name, hours=9, realised_usd=1.0, values={"coverage_80": Value(held)})
        for name, held in (("long", long), ("short", short))
    )


@pytest.mark.parametrize(
    ("days", "interval", "coverage", "state", "why"),
    [
        (13, (1.1, 1.5), (0.8, 0.8), "untested", "13 scored days"),
        (14, (1.1, 1.5), (0.8, 0.8), "weak", "14 scored days of at least 60"),
        (60, (1.1, 1.5), (0.8, 0.8), "tested", "above 1"),
        (60, (1.0, 1.5), (0.8, 0.8), "weak", "covers 1"),
        (200, (0.9, 1.1), (0.8, 0.8), "weak", "covers 1"),
        (20, (0.7, 0.99), (0.8, 0.8), "off", "below 1"),
        (60, (1.1, 1.5), (0.69, 0.8), "off", "80 % bands of longs held 69 %"),
        (60, (1.1, 1.5), (0.8, 0.91), "off", "80 % bands of shorts held 91 %"),
        (60, (1.1, 1.5), (0.7, 0.9), "tested", "above 1"),
        (60, (1.1, 1.5), (None, None), "tested", "above 1"),
    ],
)
def test_rules(days, interval, coverage, state, why):
    found, reasons = judge(days, lift_of(*interval), sides(*coverage))
    assert found == state
    assert why in "; ".join(reasons)


def test_no_lift_is_no_record():
    assert judge(100, None, sides())[0] is State.UNTESTED
    assert [each.rank for each in (State.OFF, State.UNTESTED, State.WEAK, State.TESTED)] == [0, 1, 2, 3]


def test_a_scored_market_keeps_its_verdict_with_its_evidence(scored):
    home, verdict = scored
    workspace = Workspace(home)
    assert read_verdict(workspace.state, NAME) == verdict
    bars, totals = read_bars(workspace.store, ONE), read_liquidations(workspace.store, ONE)
    assert verdict.inputs_hash == inputs_hash(bars, totals)
    assert (verdict.model, verdict.state, verdict.days) == (MODEL, State.WEAK, 15)
    assert [side.side for side in verdict.sides] == ["long", "short"]
    assert all(side.hours == 360 for side in verdict.sides)
    assert sum(verdict.sides[0].pit) == pytest.approx(1.0)
    # tenths of the hours are of about one size, so that their mean is the mean of all
    tenths = [published for _, published in verdict.sides[0].reliability]
    assert sum(tenths) / 10 * 360 == pytest.approx(verdict.sides[0].realised_usd)
    assert set(verdict.survivor_share) == {"1h", "4h", "24h"}
    assert verdict.rivals[0].difference.value > 0.0


def test_the_badge_says_what_the_verdict_says(scored):
    home, verdict = scored
    found = badge(Workspace(home), [ONE], verdict.to_ns)
    assert found.state == found.counts_as == "weak"
    assert found.has_record
    assert (found.days, found.lift.median, found.lift.lo) == (verdict.days, verdict.lift.lift.value, verdict.lift.lift.lo)
    assert found.coverage == tuple(side.values["coverage_80"].value for side in verdict.sides)
    assert found.text == f"WEAK lift {found.lift.median:.2f} [{found.lift.lo:.2f}-{found.lift.hi:.2f}], 15 d"
    assert Badge().text == "UNTESTED"


def test_a_badge_goes_stale(scored):
    home, verdict = scored
    workspace, month = Workspace(home), 30 * NS_PER_DAY
    assert badge(workspace, [ONE], verdict.to_ns + month).stale is None
    old = badge(workspace, [ONE], verdict.to_ns + month + NS_PER_DAY)
    assert "31 days before the map" in old.stale
    assert (old.state, old.counts_as, old.has_record) == ("weak", "untested", False)
    assert old.text.endswith("15 d, STALE")
    assert "on model" in badge(workspace, [ONE], verdict.to_ns, model="another").stale


def test_an_off_record_stays_off_when_it_is_stale(home, scored):
    workspace = Workspace(home)
    store_verdict(workspace.state, msgspec.structs.replace(scored[1], state=State.OFF))
    assert badge(workspace, [ONE], scored[1].to_ns + 90 * NS_PER_DAY).counts_as == "off"


def test_of_several_instruments_the_worst_counts(home, scored):
    workspace, other = Workspace(home), InstrumentId.parse("bybit:BTCUSDT")
    assert badge(workspace, [ONE, other], scored[1].to_ns).state == "untested"
    store_verdict(workspace.state, msgspec.structs.replace(scored[1], instrument=str(other), state=State.TESTED))
    assert badge(workspace, [other, ONE], scored[1].to_ns).instrument == NAME


def test_a_verdict_of_another_shape_counts_as_none(home):
    workspace = Workspace(home)
    workspace.state.set("verdict", NAME, {"state": "tested", "lift": 9})
    assert badge(workspace, [ONE], parse_instant("2026-02-15")).text == "UNTESTED"
    assert read_verdict(workspace.state, NAME) is None


def test_a_market_without_liquidations_cannot_be_scored(tmp_path):
    from liqscape.api import accuracy
    from liqscape.errors import NoData
    from liqscape.store import Table

    market = frames(days=20)
    del market[Table.LIQUIDATION_TOTALS]
    stored(tmp_path, market)
    assert accuracy("BTC", home=tmp_path) is None
    with pytest.raises(NoData, match="no published liquidations"):
        accuracy("BTC", refresh=True, home=tmp_path)
