"""One instrument rebuilt from stored rows that were known at an instant: inputs, estimator, and copies of its past state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from liqscape.clock import iso, now_ns, parse_instant
from liqscape.engine.survivors import Survivors, recent_starts, survivors
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData, OutOfRecord
from liqscape.estimate import AGE_KNOTS_NS, BURN_IN_H, Estimator, MapState, Recipe, members, shipped_weights
from liqscape.model import BarSeries, InstrumentId, LiquidationSeries
from liqscape.model.arrays import IntArray
from liqscape.model.maps import Inputs, WeightsOrigin
from liqscape.store import last_open_interest_ns, read_bars, read_liquidations
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, format_duration

_LONGEST_NS = 365 * NS_PER_DAY


@dataclass(frozen=True)
class Tape:
    """The rows of one instrument that were known at an instant."""

    instrument: InstrumentId
    as_of_ns: int
    bars: BarSeries
    liquidations: LiquidationSeries
    last_open_interest_ns: int | None

    @property
    def learn_interval_ns(self) -> int:
        """Length of the intervals that weights are learned from."""
        return self.liquidations.interval_ns if len(self.liquidations) else NS_PER_HOUR

    @property
    def mark_price(self) -> float:
        """Close of the last bar, quote per base."""
        return float(self.bars.close[-1])


@dataclass(frozen=True)
class Replayed:
    """A tape run through the estimator.

    Parameters
    ----------
    older
        Copies of the scored member's state from AGE_KNOTS_NS ago, rolled on without openings; fewer if the tape is short.
    survivors
        How much of what was swept in the last week stood in the map then; None if the tape is short, or ages were not asked for.
    """

    tape: Tape
    estimator: Estimator
    older: tuple[MapState, ...]
    inputs: Inputs
    survivors: Survivors | None = None


def read_tape(workspace: Workspace, instrument: InstrumentId, as_of_ns: int | None, window_ns: int) -> Tape:
    """Read what was known of an instrument.

    Parameters
    ----------
    as_of_ns
        None: the end of the newest stored bar.
    window_ns
        Stretch of bars that builds the state; at most one year.

    Raises
    ------
    UnknownInstrument, OutOfRecord
        If no bar of it is stored, or none that was known then.
    NoData
        If open interest is not known at any bar.
    BadArgument
        If liquidations are sums of intervals that do not begin on multiples of their length.
    """
    store = workspace.store
    window_ns = min(window_ns, _LONGEST_NS)
    if as_of_ns is None:
        ends = [c.last_ns + (c.interval_ns or 0) for c in store.coverage() if c.instrument == instrument and c.price_kind]
        as_of_ns = min(max(ends), now_ns()) if ends else now_ns()
    bars = read_bars(store, instrument, start_ns=as_of_ns - window_ns, end_ns=as_of_ns, known_by_ns=as_of_ns)
    if not (bars.open_interest_base > 0.0).any():
        raise NoData(
            f"{instrument}: no open interest is stored that was known at {iso(as_of_ns)}",
            hint="A map needs it: import Binance `metrics`, Tardis `derivative_ticker`, or bars with open_interest_base.",
        )
    first_ns = int(bars.start_ns[0])
    liquidations = read_liquidations(store, instrument, start_ns=first_ns, end_ns=as_of_ns, known_by_ns=as_of_ns)
    shift_ns = int(liquidations.start_ns[0]) % liquidations.interval_ns if len(liquidations) else 0
    if shift_ns:
        every, late = format_duration(liquidations.interval_ns), format_duration(shift_ns)
        raise BadArgument(
            f"{instrument}: the stored liquidations are sums of {every} that begin {late} after the multiples of {every} (UTC)",
            hint="Weights are learned on the multiples: import sums that begin there, or shorter ones.",
        )
    if len(liquidations) and liquidations.interval_ns < NS_PER_HOUR:
        liquidations = in_hours(liquidations)
    stamp = last_open_interest_ns(store, instrument, at_ns=as_of_ns, known_by_ns=as_of_ns)
    return Tape(instrument, as_of_ns, bars, liquidations, stamp)


def in_hours(series: LiquidationSeries) -> LiquidationSeries:
    """Sum intervals shorter than an hour into hours; an hour with a missing interval is unknown."""
    parts = NS_PER_HOUR // series.interval_ns
    hour, first, count = np.unique(series.start_ns // NS_PER_HOUR, return_index=True, return_counts=True)
    whole = count == parts
    sums = [np.add.reduceat(usd, first)[whole] for usd in (series.long_usd, series.short_usd)]
    known = np.maximum.reduceat(series.known_ns, first)[whole]
    return replace(
        series, interval_ns=NS_PER_HOUR, start_ns=hour[whole] * NS_PER_HOUR, known_ns=known, long_usd=sums[0], short_usd=sums[1]
    )


def replay(tape: Tape, recipes: tuple[Recipe, ...] | None = None, *, ages: bool = True) -> Replayed:
    """Run a tape through the estimator, keeping copies of the past state so that ages are known."""
    recipes = recipes or members()
    estimator = Estimator(tape.bars.interval_ns, tape.learn_interval_ns, recipes)
    copies: list[MapState] = []
    starts: IntArray = recent_starts(tape.bars) if ages else np.empty(0, np.int64)
    before: MapState | None = None
    done = first = 0
    # Instants whose state is copied: knots of age, and the first start of the survivor share; time runs one way only.
    instants = {tape.as_of_ns - knot for knot in AGE_KNOTS_NS} if ages else set[int]()
    for at in sorted(instants | {int(ns) for ns in starts[:1]}):
        until = int(np.searchsorted(tape.bars.end_ns, at, side="right"))
        estimator.observe(tape.bars.slice(done, until), tape.liquidations, at)
        for copy in copies:
            roll_survivors(copy, tape.bars.slice(done, until))
        done = until
        if estimator.ready and at in instants:
            copies.append(estimator.states[0].copy())
        if starts.size and at == int(starts[0]):
            before, first = estimator.states[0].copy(), until
    estimator.observe(tape.bars.slice(done, len(tape.bars)), tape.liquidations, tape.as_of_ns)
    for copy in copies:
        roll_survivors(copy, tape.bars.slice(done, len(tape.bars)))
    if not estimator.ready:
        raise OutOfRecord(f"{tape.instrument}: no bar with open interest before {iso(tape.as_of_ns)}")
    stood = None
    if before is not None:
        stood = survivors(before, tape.bars.slice(first, len(tape.bars)), estimator.mixes()[0].weights, starts)
    return Replayed(tape, estimator, tuple(reversed(copies)), describe_inputs(tape, estimator), stood)


def roll_survivors(state: MapState, bars: BarSeries) -> None:
    """Roll a state on without new positions: what is left stood there before."""
    scratch = np.zeros((1, 2, state.recipe.tiers, state.recipe.classes))
    state.roll(bars, np.zeros(len(bars), np.int64), scratch, opens=False)


def describe_inputs(tape: Tape, estimator: Estimator) -> Inputs:
    """Say what a map was built from."""
    bars, liquidations = tape.bars, tape.liquidations
    mix = estimator.learners[0].mix()
    burn_in = int(BURN_IN_H * NS_PER_HOUR / tape.learn_interval_ns)
    known = [i for i in estimator.record[burn_in:] if not np.isnan(i.realised_usd[0])]
    hours = round(len(known) * tape.learn_interval_ns / NS_PER_HOUR)
    shipped = shipped_weights()
    if mix.learned:
        origin = WeightsOrigin(
            source="learned",
            instrument=str(tape.instrument),
            from_ns=known[0].start_ns,
            to_ns=known[-1].start_ns + tape.learn_interval_ns,
            hours=hours,
        )
    else:
        origin = WeightsOrigin(
            source="shipped",
            instrument=shipped.instrument,
            from_ns=parse_instant(shipped.from_date),
            to_ns=parse_instant(shipped.to_date),
            hours=shipped.hours,
            score=shipped.score,
        )
    expected = round((int(bars.end_ns[-1]) - int(bars.start_ns[0])) / bars.interval_ns)
    return Inputs(
        instrument=tape.instrument,
        venues=liquidations.venues,
        price_kind=bars.price_kind,
        bar_interval_ns=bars.interval_ns,
        window_from_ns=int(bars.start_ns[0]),
        window_to_ns=int(bars.end_ns[-1]),
        bars=len(bars),
        missing_bars=expected - len(bars),
        last_bar_end_ns=int(bars.end_ns[-1]),
        last_open_interest_ns=tape.last_open_interest_ns,
        last_liquidation_ns=known[-1].start_ns + tape.learn_interval_ns if known else None,
        completeness=liquidations.completeness,
        recorded=bars.recorded and (liquidations.recorded or len(liquidations) == 0),
        sha256=_fingerprint(tape),
        level_fast=mix.level_fast,
        level_slow=mix.level_slow,
        weights=origin,
    )


def _fingerprint(tape: Tape) -> str:
    """Hash every number that the estimate depends on."""
    digest = hashlib.sha256(str(tape.instrument).encode())
    bars, liquidations = tape.bars, tape.liquidations
    arrays = (bars.start_ns, bars.open, bars.high, bars.low, bars.close, bars.open_interest_base)
    for array in (*arrays, liquidations.start_ns, liquidations.long_usd, liquidations.short_usd):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
