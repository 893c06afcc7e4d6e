"""A wall clock that steps widens gaps; a frame that comes twice over one connection counts once."""

from liqscape.model import Completeness, InstrumentId, Liquidation, LiquidationPriceKind, PositionSide
from liqscape.units import NS_PER_S
from liqscape.venues.repeats import Repeats
from liqscape.venues.steady import Steady

BEGIN = 1_790_000_000 * NS_PER_S


def test_gap_is_told_in_wall_time():
    clock = Steady()
    first, again = clock.note(BEGIN, 100.0), clock.note(BEGIN + 20 * NS_PER_S, 120.0)
    assert clock.wall(first, again) == (BEGIN, BEGIN + 20 * NS_PER_S)


def test_a_step_widens_a_gap_on_both_sides_and_is_forgotten():
    clock = Steady()
    first = clock.note(BEGIN, 100.0)
    again = clock.note(BEGIN + 13 * NS_PER_S, 120.0)  # 20 s passed, the wall clock was set back by 7
    assert clock.wall(first, again) == (BEGIN - 7 * NS_PER_S, BEGIN + 20 * NS_PER_S)
    for minute in range(1, 31):
        last = clock.note(BEGIN + (13 + 60 * minute) * NS_PER_S, 120.0 + 60.0 * minute)
    assert clock.wall(last, last) == (BEGIN + 1_813 * NS_PER_S,) * 2


def test_only_liquidations_are_looked_at_and_the_newest_remembered():
    one = Liquidation(
        instrument=InstrumentId("okx", "BTC-USDT-SWAP"),
        position_side=PositionSide.LONG,
        price=1.0,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=1.0,
        completeness=Completeness.THROTTLED,
        ts_venue=BEGIN,
        ts_recv=BEGIN,
    )
    repeats = Repeats()
    assert [repeats.again("a", [one]), repeats.again("a", [one]), repeats.again("b", [one])] == [False, True, False]
    assert [repeats.again("ticker", []), repeats.again("ticker", [])] == [False, False]
    assert not any(repeats.again(str(number), [one]) for number in range(40))
    assert not repeats.again("a", [one])  # long ago: it would be another event
