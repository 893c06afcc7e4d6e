"""Fuel left: the account of a region between two instants, counted while the state is rolled from one to the other."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from liqscape.analytics import Fuel, FuelRegion, fuel
from liqscape.clock import Instant, iso, parse_instant
from liqscape.engine.replay import Tape, read_tape
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.estimate import Canvas, Estimator, Interval, Mix, Recipe, contracts
from liqscape.estimate.state import MapState
from liqscape.model import PositionSide
from liqscape.model.arrays import FloatArray
from liqscape.units import parse_duration_ns

_SIDES = (PositionSide.LONG, PositionSide.SHORT)
LENGTH = re.compile(r"[\d.]+\s*[a-z]+", re.IGNORECASE)
_SLICES = 400  # buckets that a region is cut into when its dollars are summed


def build_fuel(
    workspace: Workspace,
    asked: str,
    *,
    since: Instant,
    as_of_ns: int | None = None,
    within: float = 0.02,
    price_range: tuple[float, float] | None = None,
    venues: tuple[str, ...] = (),
    window: str | None = None,
) -> tuple[Fuel, ...]:
    """Return the account of each side's region: what stood there at `since`, what became of it, what stands there now.

    Parameters
    ----------
    since, as_of_ns
        From and to; `since` is an instant, or a length of time before `as_of_ns` such as `24h`. `as_of_ns` None is the end
        of the newest stored bar.
    within
        Reach of both regions from the mark at `since`, fraction.
    price_range
        Two prices instead; the part below that mark counts longs, the part above it shorts.

    Raises
    ------
    BadArgument
        If the instants or the range are out of order, or the name means several instruments.
    UnknownInstrument, OutOfRecord, NoData
        If nothing stored answers.
    """
    instrument, *others = workspace.resolve(asked, venues)
    if others:
        names = ", ".join(str(i) for i in (instrument, *others))
        raise BadArgument(
            f"fuel: {asked} means {names}", hint="Name one of them, such as binance:BTCUSDT, or filter with --venue."
        )
    tape = read_tape(workspace, instrument, as_of_ns, parse_duration_ns(window or workspace.settings.window))
    since_ns = _since(since, tape.as_of_ns)
    if not int(tape.bars.end_ns[0]) <= since_ns < tape.as_of_ns:
        span = f"{iso(int(tape.bars.end_ns[0]))} to {iso(tape.as_of_ns)}"
        raise BadArgument(
            f"fuel: expected `since` within {span}, received {iso(since_ns)}", hint="Fuel is read from an earlier instant."
        )
    return account(tape, since_ns, within, price_range)


def _since(since: Instant, as_of_ns: int) -> int:
    """Read an instant, or a length of time before another."""
    if isinstance(since, str) and LENGTH.fullmatch(since.strip()):
        return as_of_ns - parse_duration_ns(since)
    try:
        return parse_instant(since)
    except ValueError as error:
        raise BadArgument(f"since: {error}", hint="Write 24h, or an instant such as 2026-01-30T00:00Z.") from None


def account(tape: Tape, since_ns: int, within: float, price_range: tuple[float, float] | None) -> tuple[Fuel, ...]:
    """Run a tape to `since_ns`, then on, and put the accounts together."""
    recipe, bars = Recipe(), tape.bars
    estimator = Estimator(bars.interval_ns, tape.learn_interval_ns, (recipe,))
    done = int(np.searchsorted(bars.end_ns, since_ns, side="right"))
    estimator.observe(bars.slice(0, done), tape.liquidations, since_ns)
    if not estimator.ready:
        raise NoData(f"{tape.instrument}: open interest was not known at {iso(since_ns)}", hint="Choose a later `since`.")
    regions = _regions(float(bars.close[done - 1]), within, price_range)
    mix, state = estimator.learners[0].mix(), estimator.states[0].copy()
    shape = (2, recipe.tiers, recipe.classes)
    drawn = mix.weights.reshape(shape) * recipe.drawn[:, None]
    bounds = np.log(np.array([region or (1.0, 1.0) for region in regions]))
    rest = bars.slice(done, len(bars))
    then = [_pool(state, mix, s, region) for s, region in enumerate(regions)]
    scratch = np.zeros((1, *shape))
    flows = state.roll(rest, np.zeros(len(rest), np.int64), scratch, canvas=Canvas.counting(recipe, drawn), region=bounds)
    estimator.observe(rest, tape.liquidations, tape.as_of_ns)
    now = [_pool(state, estimator.learners[0].mix(), s, region) for s, region in enumerate(regions)]
    return tuple(
        _account(tape, estimator.record, since_ns, side, region, then[s], now[s], flows[s])
        for s, (side, region) in enumerate(zip(_SIDES, regions, strict=True))
        if region
    )


def _account(
    tape: Tape,
    record: Sequence[Interval],
    since_ns: int,
    side: PositionSide,
    region: tuple[float, float],
    then: tuple[float, float],
    now: tuple[float, float],
    flows: FloatArray,
) -> Fuel:
    # Contracts are counted exactly; dollars at the price that the region's contracts stood at, on average, at the start.
    price = then[0] / then[1] if then[1] > 0.0 else 0.5 * (region[0] + region[1])
    # They are differences of sums: what is within their rounding is nothing.
    dust = 1e-9 * (then[0] + float(flows.max()) * price)
    burnt, closed, opened = (float(flow) * price if float(flow) * price > dust else 0.0 for flow in flows)
    return fuel(
        reference_ns=since_ns,
        as_of_ns=tape.as_of_ns,
        region=FuelRegion(side=side, from_price=region[0], to_price=region[1]),
        pool_reference_usd=then[0],
        burnt_usd=burnt,
        closed_usd=closed,
        opened_usd=opened,
        drift_usd=now[0] - (then[0] - burnt - closed + opened),
        forced_seen_usd=_seen(record, since_ns, _SIDES.index(side), burnt),
    )


def _regions(
    mark: float, within: float, price_range: tuple[float, float] | None
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Return the long and the short region, ascending prices, None where the range leaves nothing of a side."""
    if price_range is None:
        if not 0.0 < within < 0.9:
            raise BadArgument(f"within: expected a fraction between 0 and 90 %, received {within}")
        return (mark * (1.0 - within), mark), (mark, mark * (1.0 + within))
    low, high = price_range
    if not 0.0 < low < high:
        raise BadArgument(f"range: expected two ascending prices, received {low} and {high}")
    long = (low, min(high, mark)) if low < mark else None
    short = (max(low, mark), high) if high > mark else None
    return long, short


def _pool(state: MapState, mix: Mix, side: int, region: tuple[float, float] | None) -> tuple[float, float]:
    """Return (USD at the level, contracts) standing in a region."""
    if region is None:
        return 0.0, 0.0
    edges = np.linspace(region[0], region[1], _SLICES + 1)
    recipe = state.recipe
    weights = mix.weights[side] * np.repeat(recipe.drawn, recipe.classes)
    base: FloatArray = weights @ contracts(state, side, edges).reshape(weights.size, -1)
    return float(base @ (0.5 * (edges[:-1] + edges[1:]))), float(base.sum())


def _seen(record: Sequence[Interval], since_ns: int, side: int, burnt_usd: float) -> float | None:
    """Published forced orders that belong to the region, USD; None if no whole interval since then was published.

    Feeds give dollars per interval and not per level. Of what they showed the region gets the part that its sweeps have in
    what the model predicted of the same intervals, so that the burn ratio is published over predicted.
    """
    known = [i for i in record if i.start_ns >= since_ns and not math.isnan(i.realised_usd[side])]
    if not known:
        return None
    return burnt_usd * sum(i.realised_usd[side] for i in known) / sum(i.predicted_usd[side] for i in known)
