"""A map of stored instruments as of an instant: replay each, join them on one price axis, name everything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs

from liqscape.clock import now_ns
from liqscape.engine.joined import gather
from liqscape.engine.positions.measured import Measured, read_measured
from liqscape.engine.positions.prior import recipes_of
from liqscape.engine.replay import Replayed, replay
from liqscape.engine.survivors import joined_shares
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.estimate import MODEL, MeasuredSide, Recipe, SideSum, side_sum
from liqscape.model import BarSeries, PositionSide, PriceKind
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import BUCKET_WIDTH, BUCKETS, Balance, Inputs, LiquidationMap, Outcome, Reading
from liqscape.store import read_funding
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE, parse_duration_ns

_VOLATILITY_NS = 7 * NS_PER_DAY


@dataclass(frozen=True)
class Shares:
    """What `--reading true` divides by: (median, low, high), and one factor per draw."""

    median: float
    low: float
    high: float

    def factors(self, draws: int) -> FloatArray:
        """float64[draws], 1 / share; lognormal with 80 % of them between 1 / high and 1 / low, fixed seed."""
        sigma = math.log(self.high / self.low) / (2 * 1.2815515655446004)
        return np.exp(sigma * np.random.default_rng(1).standard_normal(draws)) / self.median


def build_map(
    workspace: Workspace,
    asked: str,
    *,
    as_of_ns: int | None = None,
    window: str | None = None,
    venues: tuple[str, ...] = (),
    reading: Reading = Reading.PUBLISHED,
    recipes: tuple[Recipe, ...] | None = None,
) -> LiquidationMap:
    """Return the map of a name, from rows that were known at `as_of_ns`.

    Parameters
    ----------
    asked
        `binance:BTCUSDT` or a bare base.
    as_of_ns
        None: the end of the newest stored bar, of several instruments that of the newest minute that all have (see `joined`).
    window
        Stretch of bars that builds the state; default: the setting, at most one year.
    venues
        Keep these venues only.
    reading
        TRUE divides published dollars by the setting `reported_share`; the balance stays published.

    Raises
    ------
    UnknownInstrument, OutOfRecord, NoData
        If nothing stored answers.
    """
    instruments = workspace.resolve(asked, venues)
    window_ns = parse_duration_ns(window or workspace.settings.window)
    gathered = gather(workspace, instruments, as_of_ns, window_ns)
    runs = [replay(tape, recipes or recipes_of(workspace, tape, gathered.as_of_ns)) for tape in gathered.tapes]
    shares = published_shares(workspace, [run.inputs for run in runs]) if reading is Reading.TRUE else None
    measured = [read_measured(workspace, tape, gathered.as_of_ns) for tape in gathered.tapes]
    found = replace(assemble(asked, runs, gathered.as_of_ns, shares, measured), left_out=gathered.left_out)
    return _described(workspace, found, runs, venues)


def assemble(
    asked: str,
    runs: Sequence[Replayed],
    as_of_ns: int,
    shares: Shares | None = None,
    measured: Sequence[Measured | None] = (),
) -> LiquidationMap:
    """Join replayed instruments into one map; prices meet at the mark of all, weighted by open interest.

    Where positions of an instrument are known (`measured`, one per run), they stand at their own levels and the model keeps
    only the share of open interest that is not known; they are never divided by `shares`.
    """
    open_interest = np.array([run.estimator.states[0].open_interest_base for run in runs])
    marks = np.array([run.tape.mark_price for run in runs])
    mark = float(marks[0]) if len(runs) == 1 else float(marks @ open_interest / open_interest.sum())
    ladder: FloatArray = BUCKET_WIDTH * np.arange(BUCKETS + 1.0)
    sides: list[SideSum] = []
    edges = (mark * (1.0 - ladder), mark * (1.0 + ladder))
    known: list[list[MeasuredSide]] = []
    for side in range(2):
        parts = [
            side_sum(side, edges[side], run.estimator.states, run.estimator.mixes(), run.older, float(oi), 1000 * i + side)
            for i, (run, oi) in enumerate(zip(runs, open_interest, strict=True))
        ]
        known.append([])
        for i, found in enumerate(measured):
            if found is not None:
                recipe = runs[i].estimator.recipes[0]
                known[side].append(found.side(side, edges[side], float(open_interest[i]), recipe))
                parts[i] = parts[i].part(1.0 - known[side][-1].share)
        joined = parts[0]
        for part in parts[1:]:
            joined = joined.add(part)
        sides.append(joined)
    capped = any(side.capped for side in sides)
    learned = any(run.inputs.weights.source == "learned" for run in runs)
    if shares is not None:
        sides = [side.times(1.0 / shares.median, shares.factors(len(side.draws_usd))) for side in sides]
    for side in range(2):
        for one in known[side]:
            sides[side] = sides[side].plus(one)
    total = float(open_interest.sum())
    balance = Balance(
        open_interest_base=total,
        long_base=sides[0].placed_base,
        short_base=sides[1].placed_base,
        long_reservoir_base=max(total - sides[0].placed_base, 0.0),
        short_reservoir_base=max(total - sides[1].placed_base, 0.0),
        long_measured_base=sides[0].measured_base,
        short_measured_base=sides[1].measured_base,
    )
    first = runs[0]
    recipe = first.estimator.recipes[0]
    return LiquidationMap(
        asked=asked,
        inputs=tuple(
            structs.replace(run.inputs, open_interest_usd=float(oi) * mark, measured=found and found.describe(float(oi)))
            for run, oi, found in zip(runs, open_interest, measured or [None] * len(runs), strict=True)
        ),
        as_of_ns=as_of_ns,
        computed_at_ns=now_ns(),
        mark_price=mark,
        price_kind=PriceKind.MARK if all(run.tape.bars.price_kind is PriceKind.MARK for run in runs) else PriceKind.LAST,
        short=sides[1].levels(PositionSide.SHORT, edges[1]),
        long=sides[0].levels(PositionSide.LONG, edges[0]),
        balance=balance,
        tiers=recipe.distances,
        class_life_s=recipe.class_life_s,
        sigma_1d=daily_volatility(first.tape.bars),
        open_interest_usd=total * mark,
        funding_rate=None,
        funding_interval_ns=None,
        price_change_24h=_change(first.tape.bars),
        reading=Reading.TRUE if shares else Reading.PUBLISHED,
        reported_share=(shares.median, shares.low, shares.high) if shares else None,
        outcome=Outcome.CAPPED if capped else Outcome.LEARNED if learned else Outcome.SHIPPED,
        model=f"{MODEL}+accounts" if any(run.estimator.recipes[0].measured is not None for run in runs) else MODEL,
        simulated=False,
        survivor_share=joined_shares([run.survivors for run in runs]),
    )


def _described(workspace: Workspace, found: LiquidationMap, runs: Sequence[Replayed], venues: tuple[str, ...]) -> LiquidationMap:
    """Add what only the store knows: funding and whether the rows are simulated; and what was left out on request."""
    instrument = runs[0].tape.instrument
    funding = read_funding(workspace.store, instrument, end_ns=found.as_of_ns, known_by_ns=found.as_of_ns)
    rate, interval = (None, None)
    if not funding.is_empty():
        rate, interval = float(funding["rate"][-1]), int(funding["interval_ns"][-1])
    return replace(
        found,
        funding_rate=rate,
        funding_interval_ns=interval,
        simulated=any(workspace.is_simulated(run.tape.instrument) for run in runs),
        filters={"venue": ",".join(venues)} if venues else {},
    )


def published_shares(workspace: Workspace, inputs: Sequence[Inputs]) -> Shares:
    """Return the share of liquidated dollars that the feeds show; every venue in the sum needs one.

    The sum's own split over venues is not known: the median is their mean, the ends are the widest.
    """
    venues = sorted({venue for one in inputs for venue in (one.venues or (one.instrument.venue,))})
    known = workspace.settings.reported_share
    missing = [venue for venue in venues if venue not in known]
    if missing:
        raise NoData(
            f"reading true: the setting reported_share is not set for {', '.join(missing)}",
            hint=f"Set it, for example: liqscape settings set reported_share.{missing[0]} 0.2,0.1,0.4 (median, low, high).",
            context={"venues": venues},
        )
    rows = np.array([known[venue] for venue in venues])
    return Shares(float(rows[:, 0].mean()), float(rows[:, 1].min()), float(rows[:, 2].max()))


def daily_volatility(bars: BarSeries) -> float | None:
    """Realised volatility of a day: root mean square of 5-minute returns of the last 7 days, scaled to 1 day; fraction.

    Bars longer than 5 minutes are used as they are. None if less than a day is known.
    """
    first = int(np.searchsorted(bars.start_ns, int(bars.end_ns[-1]) - _VOLATILITY_NS))
    step = max(1, round(5 * NS_PER_MINUTE / bars.interval_ns))
    close = bars.close[first:][::-1][::step][::-1]
    length = step * bars.interval_ns
    if (close.size - 1) * length < NS_PER_DAY:
        return None
    returns = np.diff(np.log(close))
    return float(np.sqrt(np.mean(returns**2) * NS_PER_DAY / length))


def _change(bars: BarSeries) -> float | None:
    """Change of the close over 24 hours, fraction; None if no bar ended then."""
    i = int(np.searchsorted(bars.end_ns, int(bars.end_ns[-1]) - NS_PER_DAY))
    if int(bars.end_ns[i]) != int(bars.end_ns[-1]) - NS_PER_DAY:
        return None
    return float(bars.close[-1] / bars.close[i] - 1.0)


def parse_reading(text: str) -> Reading:
    """Read `published` or `true`."""
    try:
        return Reading(text.lower())
    except ValueError:
        raise BadArgument(f"reading: expected published or true, received {text!r}") from None
