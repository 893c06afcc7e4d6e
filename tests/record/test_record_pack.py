"""What the record says on real data; and that the lift sees positions where they are known."""

from pathlib import Path

import pytest

from liqscape.api.record import refresh_verdict
from liqscape.clock import parse_instant
from liqscape.engine.episodes import THIN, build_episodes
from liqscape.engine.importer import import_paths
from liqscape.engine.verdict import badge
from liqscape.engine.workspace import Workspace

PACK = Path(__file__).parents[3] / "shared" / "data" / "btcusdt_backtest"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    if not PACK.exists():
        pytest.skip(f"no data pack at {PACK}")
    made = Workspace(tmp_path_factory.mktemp("pack"))
    import_paths(made.store, [PACK])
    return made


def test_on_the_pack_the_badge_is_weak_at_best(workspace):
    (one,) = workspace.stored()
    verdict = refresh_verdict(workspace, one, from_ns=parse_instant("2026-02-16"), to_ns=parse_instant("2026-04-01"))
    assert (verdict.days, verdict.sides[0].hours) == (44, 1_056)
    assert badge(workspace, [one], verdict.to_ns).state == verdict.state == "weak"
    found = verdict.lift
    # where within the traded range liquidations sit is barely resolved: the interval holds 1 and is narrow
    assert found.lift.lo <= 1.0 <= found.lift.hi
    assert found.lift.hi - found.lift.lo < 0.15
    # what is resolved is the trend of distance, which levels drawn at random would have called skill
    assert found.over_chance.lo > 1.2
    assert found.located > 0.75
    assert all(0.75 < side.values["coverage_80"].value < 0.85 for side in verdict.sides)


def test_the_public_case(workspace):
    (found,) = build_episodes(workspace, "BTC")
    case = found.case
    assert case.price == pytest.approx(84_178.9, rel=0.001)
    # claimed 14 : 1; this map had about as much on either side
    assert 0.5 < case.ratio < 1.5
    assert [after.outcome for after in case.followed] == [THIN, THIN, THIN]
    week = case.after(7)
    assert week.high < 0.002
    assert week.low == pytest.approx(-0.29, abs=0.01)
    assert week.long_usd > 3.0 * week.short_usd


@pytest.mark.long
def test_the_lift_sees_positions_where_they_are_known(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from benchmarks.lift_truth import compare

    exact, prints, sums = compare(45, 7)
    assert exact.lift.lo > 1.3
    for estimated in (prints, sums):
        assert estimated.lift.value < exact.lift.lo
