"""The verdict on a map: how it did out of sample, in one record that is stored with its evidence; its badge (feature F24).

`engine` reads the stored record and shows the badge wherever a map is shown.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec
import numpy as np
from msgspec import Struct

from liqscape.model import BarSeries, LiquidationSeries
from liqscape.store import StateDb
from liqscape.validate.bootstrap import Value

NAMESPACE = "verdict"  # of the small state; the key is the instrument
UNTESTED_DAYS, TESTED_DAYS = 14, 60
COVERAGE_FROM, COVERAGE_TO = 0.70, 0.90  # where the share of hours inside an 80 % band may lie


class State(StrEnum):
    """What the record allows to say; `rank` orders them for a caller that requires one."""

    OFF = "off"
    UNTESTED = "untested"
    WEAK = "weak"
    TESTED = "tested"

    @property
    def rank(self) -> int:
        """0 is worst."""
        return list(State).index(self)


class LiftBin(Struct, frozen=True, kw_only=True):
    """Levels of one class of distance from the price at which their map was frozen.

    Parameters
    ----------
    levels
        Traded levels in the class, counted in every map that they were part of.
    usd
        Liquidated dollars on them.
    share
        Share of those dollars on the densest quarter of the traded levels.
    expected
        The same, had each map's dollars been spread by distance alone.
    """

    from_distance: float
    to_distance: float
    levels: int
    usd: float
    share: float | None
    expected: float | None


class Lift(Struct, frozen=True, kw_only=True):
    """Where liquidations fell among the levels that price traded through, against the map as it stood before.

    Parameters
    ----------
    lift
        `share` over `expected`, with the interval of a day-block bootstrap.
    over_chance
        `share` over `chance`: what a comparison that forgets distance would print.
    share
        Share of liquidated dollars on the densest quarter of the traded levels of their side.
    chance
        The same if the dollars lay evenly on the traded levels.
    expected
        The same if the dollars lay as they do by distance alone.
    perfect
        The same if the dollars lay exactly as the map says, seen as coarsely as the source shows them.
    source
        `prints`: each forced order at its published price; `sums`: published sums, spread evenly over the prices that were
        newly traded in their interval.
    horizon_ns
        How long a map stays frozen.
    maps, days
        Frozen maps (a side each) with at least four traded levels, and the days that they lie in.
    located
        Share of the window's liquidated dollars that could be put on a level of a frozen map: the rest fell where price had
        traded before or in too narrow a range.
    """

    lift: Value
    over_chance: Value
    share: float
    chance: float
    expected: float
    perfect: float
    source: str
    horizon_ns: int
    step: float
    maps: int
    days: int
    located: float
    bins: tuple[LiftBin, ...]


class SideScores(Struct, frozen=True, kw_only=True):
    """Scores of one side's hours.

    Parameters
    ----------
    side
        `long` or `short`: the position that was liquidated.
    values
        By name: d2, d2_walk_forward, log_loss, crps_usd, tail_crps_usd, spearman, r2_log, total_ratio, coverage_50,
        coverage_80, coverage_90, as in `Card`.
    pit
        Share of the hours in each tenth of their predicted distribution; all near 0.1 if bands are right.
    reliability
        (predicted, realised) mean dollars of each tenth of the hours, from the smallest prediction up.
    """

    side: str
    hours: int
    realised_usd: float
    values: dict[str, Value]
    pit: tuple[float, ...] = ()
    reliability: tuple[tuple[float, float], ...] = ()


class Rival(Struct, frozen=True, kw_only=True):
    """A predictor that saw the same path; `difference` is the map's D2 less its, mean of the sides: above 0 the map leads."""

    predictor: str
    d2_long: float
    d2_short: float
    difference: Value


class Verdict(Struct, frozen=True, kw_only=True):
    """How the map of an instrument did over [from_ns, to_ns), hours that none of its weights had seen.

    Parameters
    ----------
    days
        Days with scored intervals.
    reasons
        Why the state is what it is, one phrase each.
    null_usd
        The fixed numbers that D2 is measured against, USD per interval (long, short); means before `null_until_ns`.
    survivor_share
        Hours as text (`4h`) to the share of liquidated dollars whose positions stood in the map that long before.
    inputs_hash
        Of every number that the scores depend on.
    """

    instrument: str
    state: State
    reasons: tuple[str, ...]
    model: str
    version: str
    computed_at_ns: int
    from_ns: int
    to_ns: int
    interval_ns: int
    days: int
    learned_share: float
    null_until_ns: int
    null_usd: tuple[float, float]
    lift: Lift | None
    sides: tuple[SideScores, ...]
    rivals: tuple[Rival, ...]
    survivor_share: dict[str, float]
    inputs_hash: str
    simulated: bool = False


def held_by_80(side: SideScores) -> float | None:
    """Share of a side's hours inside their 80 % band, by their place in the distribution.

    Hours without liquidations lie on the edge of a band that begins at nought; their place is drawn, so that right bands hold
    80 % also where such hours are many. None if unknown.
    """
    return sum(side.pit[1:-1]) if len(side.pit) == 10 else side.values.get("coverage_80", Value(None)).value


def judge(days: int, lift: Lift | None, sides: tuple[SideScores, ...]) -> tuple[State, tuple[str, ...]]:
    """Return the state of F24 and why.

    UNTESTED under 14 scored days or without a lift; OFF if the lift's interval lies below 1, or the 80 % bands of a side hold
    less than 70 % or more than 90 % of its hours (`held_by_80`); TESTED if the interval lies above 1 over at least 60 days;
    else WEAK.
    """
    if days < UNTESTED_DAYS:
        return State.UNTESTED, (f"{days} scored days of at least {UNTESTED_DAYS}",)
    if lift is None or lift.lift.lo is None or lift.lift.hi is None:
        return State.UNTESTED, ("no liquidation could be put on a level of a frozen map",)
    off: list[str] = []
    if lift.lift.hi < 1.0:
        off.append("the lift's interval lies below 1")
    for side in sides:
        held = held_by_80(side)
        if held is not None and not COVERAGE_FROM <= held <= COVERAGE_TO:
            off.append(f"80 % bands of {side.side}s held {held * 100:.0f} % of the hours")
    if off:
        return State.OFF, tuple(off)
    weak: list[str] = []
    if lift.lift.lo <= 1.0:
        weak.append("the lift's interval covers 1")
    if days < TESTED_DAYS:
        weak.append(f"{days} scored days of at least {TESTED_DAYS}")
    return (State.WEAK, tuple(weak)) if weak else (State.TESTED, ("the lift's interval lies above 1",))


def store_verdict(state: StateDb, verdict: Verdict) -> None:
    """Keep a verdict with its evidence; it replaces the one before.

    Raises
    ------
    StoreError
        If the home cannot be written.
    """
    state.set(NAMESPACE, verdict.instrument, msgspec.to_builtins(verdict))


def read_verdict(state: StateDb, instrument: str) -> Verdict | None:
    """Return the stored verdict on an instrument, or None; one that an older version wrote in another shape counts as none."""
    found = state.get(NAMESPACE, instrument)
    try:
        return None if found is None else msgspec.convert(found, Verdict)
    except msgspec.ValidationError:
        return None


def inputs_hash(bars: BarSeries, liquidations: LiquidationSeries) -> str:
    """Hash every number that a score depends on."""
    digest = hashlib.sha256(str(bars.instrument).encode())
    arrays = (bars.start_ns, bars.open, bars.high, bars.low, bars.close, bars.open_interest_base)
    for array in (*arrays, liquidations.start_ns, liquidations.long_usd, liquidations.short_usd):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
