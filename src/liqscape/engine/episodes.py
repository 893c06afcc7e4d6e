"""Episodes (feature F27): every stored day on which one side held far more than the other, and what followed.

A side of a map is swept once price has passed the level that holds half of its pool within the window. What followed is which
side was swept first: the heavy one, the thin one, or neither. Failures of the reading "price goes where more stands" come first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct, field

from liqscape.clock import iso, parse_instant
from liqscape.engine.replay import Tape, read_tape
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.estimate import MODEL, Estimator, Recipe, contracts
from liqscape.model import BarSeries, InstrumentId, LiquidationSeries, describe
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import BUCKET_WIDTH
from liqscape.units import NS_PER_DAY

HEAVY, THIN, NEITHER = "heavy", "thin", "neither"
OUTCOMES = (THIN, NEITHER, HEAVY)  # failures first
HORIZONS_D = (1, 3, 7)
JUDGED_D = 7  # the horizon by which episodes are sorted
WITHIN, RATIO = 0.05, 2.0
_DRAWS, _LEVEL, _SEED = 2_000, 0.9, 20_260_130
# The public claim that this project answers: "$14B shorts above, less than $1B longs below", on the day before the fall.
CASE_BASE, CASE_AT, CASE_PRICE, CASE_RATIO = "BTC", "2026-01-30T22:55:00Z", 84_178.9, 14.0


class Followed(Struct, frozen=True, kw_only=True):
    """What happened within a horizon.

    Parameters
    ----------
    outcome
        Which side was swept first: `heavy`, `thin` or `neither`.
    low, high, end
        Least, greatest and last price over the price at the start, less 1.
    long_usd, short_usd
        Liquidations published in the horizon; None where a part of it was not published.
    """

    days: int
    outcome: str
    low: float
    high: float
    end: float
    long_usd: float | None
    short_usd: float | None


class Episode(Struct, frozen=True, kw_only=True):
    """One lopsided map and what followed.

    Parameters
    ----------
    ratio
        Short pool over long pool, as the map had it then.
    heavy
        The side that held more; of the public case, the side that the claim says.
    claimed_ratio
        Of the public case only: short over long as it was claimed.
    followed
        One per horizon that is over.
    """

    at: str
    price: float
    long_usd: float
    short_usd: float
    ratio: float
    heavy: str
    claimed_ratio: float | None = None
    followed: tuple[Followed, ...] = ()

    def after(self, days: int) -> Followed | None:
        """Return what followed within a horizon; None if it is not over."""
        return next((each for each in self.followed if each.days == days), None)


class Tally(Struct, frozen=True, kw_only=True):
    """How often what followed.

    Parameters
    ----------
    episodes, runs
        Lopsided days whose horizon is over, and stretches of them without a gap: days of one stretch are not independent.
    heavy_share
        Heavy side first among those where a side was swept; None if there were none.
    lo, hi
        90 % interval of it, stretches drawn with replacement; None with fewer than 5 stretches.
    all_days_share
        The same over every stored day, whichever side held more: what the record gives with no regard to how lopsided it was.
    """

    days: int
    episodes: int
    runs: int
    heavy: int
    thin: int
    neither: int
    heavy_share: float | None
    lo: float | None
    hi: float | None
    all_days: int
    all_days_share: float | None


class Episodes(Struct, frozen=True, kw_only=True):
    """The episodes of one instrument.

    Parameters
    ----------
    within, least_ratio
        Distance window; a day is lopsided if one pool is at least `least_ratio` times the other.
    maps
        Daily maps that were looked at, between `from` and `to`.
    largest_ratio
        (longs over shorts, shorts over longs): the most lopsided day of each kind.
    case
        The public case of 2026-01-30, if the record holds it.
    episodes
        Failures first: thin side swept first, then neither, then heavy, then those whose week is not over; the newest first.
    """

    instrument: str
    model: str
    simulated: bool
    within: float
    least_ratio: float
    maps: int
    from_: str = field(name="from")
    to: str
    largest_ratio: tuple[float, float]
    case: Episode | None
    episodes: tuple[Episode, ...]
    tallies: tuple[Tally, ...]


class _Pools(Struct, frozen=True, kw_only=True):
    """Pools of one instant: dollars by side, and the price that holds half of each."""

    at_ns: int
    price: float
    usd: tuple[float, float]
    half: tuple[float, float]


def build_episodes(
    workspace: Workspace,
    asked: str,
    *,
    as_of_ns: int | None = None,
    within: float = WITHIN,
    least_ratio: float = RATIO,
    venues: tuple[str, ...] = (),
) -> tuple[Episodes, ...]:
    """Return the episodes of each instrument that a name means, from one map a day (00:00 UTC) over the stored record.

    Parameters
    ----------
    within
        Distance window, fraction of the price.
    least_ratio
        Greater pool over smaller one from which a day is lopsided.

    Raises
    ------
    UnknownInstrument, OutOfRecord, NoData
        If nothing stored answers, or no day has learned weights.
    BadArgument
        If window or ratio make no sense.
    """
    if not BUCKET_WIDTH <= within <= 0.5:
        raise BadArgument(f"within: expected a distance of 0.1 % to 50 %, received {within:g}", hint="Write it like 5%.")
    if not (least_ratio > 1.0 and math.isfinite(least_ratio)):
        raise BadArgument(f"ratio: expected a number above 1, received {least_ratio:g}", hint="2 is two dollars against one.")
    return tuple(
        _of_tape(
            read_tape(workspace, instrument, as_of_ns, 365 * NS_PER_DAY), workspace.is_simulated(instrument), within, least_ratio
        )
        for instrument in workspace.resolve(asked, venues)
    )


def _of_tape(tape: Tape, simulated: bool, within: float, least_ratio: float) -> Episodes:
    case_ns = parse_instant(CASE_AT)
    first, last = int(tape.bars.end_ns[0]), int(tape.bars.end_ns[-1])
    days = list(range(-(-first // NS_PER_DAY) * NS_PER_DAY, last + 1, NS_PER_DAY))
    with_case = _is_case(tape.instrument) and first < case_ns <= last
    found = pools_at(tape, sorted({*days, *([case_ns] if with_case else [])}), within)
    daily = [each for each in found if each.at_ns % NS_PER_DAY == 0]
    if not daily:
        raise NoData(
            f"{tape.instrument}: no stored day has weights that were learned from its own liquidations",
            hint="Import two weeks or more of bars with open interest and of published liquidations.",
        )
    every = [_episode(each, tape) for each in daily]
    lopsided = [each for each in every if max(each.ratio, 1.0 / each.ratio) >= least_ratio]
    case = next((each for each in found if each.at_ns == case_ns), None)
    return Episodes(
        instrument=str(tape.instrument),
        model=MODEL,
        simulated=simulated,
        within=within,
        least_ratio=least_ratio,
        maps=len(every),
        from_=every[0].at,
        to=every[-1].at,
        largest_ratio=(1.0 / min(each.ratio for each in every), max(each.ratio for each in every)),
        case=None if case is None else _episode(case, tape, CASE_RATIO),
        episodes=tuple(sorted(lopsided, key=_order)),
        tallies=tuple(_tally(days, lopsided, every) for days in HORIZONS_D),
    )


def pools_at(tape: Tape, instants: Sequence[int], within: float) -> list[_Pools]:
    """Return both pools of the map as of each instant, ns UTC ascending; instants without learned weights are left out."""
    recipe = Recipe()
    estimator = Estimator(tape.bars.interval_ns, tape.learn_interval_ns, (recipe,))
    drawn = np.repeat(recipe.drawn, recipe.classes)
    ladder: FloatArray = np.append(np.arange(0.0, within - 1e-12, BUCKET_WIDTH), within)
    out: list[_Pools] = []
    done = 0
    for at in instants:
        until = int(np.searchsorted(tape.bars.end_ns, at, side="right"))
        estimator.observe(tape.bars.slice(done, until), tape.liquidations, at)
        done = until
        mix = estimator.learners[0].mix()
        if not (estimator.ready and mix.learned):
            continue
        price = float(tape.bars.close[until - 1])
        usd: list[float] = []
        half: list[float] = []
        for side in range(2):
            edges = price * (1.0 + (2 * side - 1) * ladder)
            standing = contracts(estimator.states[0], side, edges).reshape(drawn.size, -1)
            level = (mix.weights[side] * drawn) @ standing * 0.5 * (edges[1:] + edges[:-1])
            total: FloatArray = np.cumsum(level)
            usd.append(float(total[-1]))
            half.append(float(edges[1 + int(np.searchsorted(total, 0.5 * usd[-1]))]))
        if min(usd) > 0.0:
            out.append(_Pools(at_ns=at, price=price, usd=(usd[0], usd[1]), half=(half[0], half[1])))
    return out


def _episode(pools: _Pools, tape: Tape, claimed_ratio: float | None = None) -> Episode:
    ratio = pools.usd[1] / pools.usd[0]
    heavy = 1 if (claimed_ratio or ratio) > 1.0 else 0
    followed = (_followed(pools, tape.bars, tape.liquidations, heavy, days) for days in HORIZONS_D)
    return Episode(
        at=iso(pools.at_ns),
        price=pools.price,
        long_usd=pools.usd[0],
        short_usd=pools.usd[1],
        ratio=ratio,
        heavy=("long", "short")[heavy],
        claimed_ratio=claimed_ratio,
        followed=tuple(each for each in followed if each is not None),
    )


def _followed(pools: _Pools, bars: BarSeries, liquidations: LiquidationSeries, heavy: int, days: int) -> Followed | None:
    until = pools.at_ns + days * NS_PER_DAY
    a, b = (int(np.searchsorted(bars.end_ns, at, side="right")) for at in (pools.at_ns, until))
    if until > int(bars.end_ns[-1]) or a == b:
        return None
    first = first_swept(bars.slice(a, b), pools.half)
    i, j = (int(np.searchsorted(liquidations.start_ns, at)) for at in (pools.at_ns, until))
    # An interval that is absent is unknown: a sum over it would be too small.
    whole = j - i >= (until - pools.at_ns) // liquidations.interval_ns
    return Followed(
        days=days,
        outcome=NEITHER if first is None else HEAVY if first == heavy else THIN,
        low=float(bars.low[a:b].min() / pools.price - 1.0),
        high=float(bars.high[a:b].max() / pools.price - 1.0),
        end=float(bars.close[b - 1] / pools.price - 1.0),
        long_usd=float(liquidations.long_usd[i:j].sum()) if whole else None,
        short_usd=float(liquidations.short_usd[i:j].sum()) if whole else None,
    )


def first_swept(bars: BarSeries, half: tuple[float, float]) -> int | None:
    """Return which level was passed first: 0 the one below, 1 the one above, None neither.

    Within one bar the low counts as first if it closed up, the high if it closed down.
    """
    below, above = bars.low <= half[0], bars.high >= half[1]
    hit = np.flatnonzero(below | above)
    if hit.size == 0:
        return None
    i = int(hit[0])
    if below[i] and above[i]:
        return 0 if bars.close[i] >= bars.open[i] else 1
    return 0 if below[i] else 1


def _tally(days: int, lopsided: Sequence[Episode], every: Sequence[Episode]) -> Tally:
    judged = [(each, after) for each in lopsided if (after := each.after(days)) is not None]
    outcomes = [after.outcome for _, after in judged]
    runs = _runs([each for each, _ in judged])
    counts = np.array([[outcomes[i] == HEAVY, outcomes[i] == THIN] for i in range(len(outcomes))], np.float64).reshape(-1, 2)
    sums = np.zeros((int(runs.max()) + 1 if runs.size else 0, 2))
    np.add.at(sums, runs, counts)
    low, high = _interval(sums)
    base = [after.outcome for each in every if (after := each.after(days)) is not None]
    return Tally(
        days=days,
        episodes=len(judged),
        runs=len(sums),
        heavy=outcomes.count(HEAVY),
        thin=outcomes.count(THIN),
        neither=outcomes.count(NEITHER),
        heavy_share=_share(outcomes),
        lo=low,
        hi=high,
        all_days=len(base),
        all_days_share=_share(base),
    )


def _share(outcomes: Sequence[str]) -> float | None:
    swept = outcomes.count(HEAVY) + outcomes.count(THIN)
    return outcomes.count(HEAVY) / swept if swept else None


def _runs(episodes: Sequence[Episode]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """int64[n], which stretch of days without a gap, heavy on the same side, each episode belongs to."""
    out = np.zeros(len(episodes), np.int64)
    for i in range(1, len(episodes)):
        before, now = episodes[i - 1], episodes[i]
        follows = parse_instant(now.at) - parse_instant(before.at) <= NS_PER_DAY and now.heavy == before.heavy
        out[i] = out[i - 1] + (not follows)
    return out


def _interval(sums: FloatArray) -> tuple[float | None, float | None]:
    """90 % interval of heavy / (heavy + thin), rows (one a stretch) drawn with replacement, fixed seed."""
    if len(sums) < 5 or not sums.sum() > 0.0:
        return None, None
    rng = np.random.default_rng(_SEED)
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1.0 / len(sums)), size=_DRAWS) @ sums
    swept = drawn.sum(axis=1)
    shares = drawn[swept > 0.0, 0] / swept[swept > 0.0]
    low, high = np.quantile(shares, (0.5 - _LEVEL / 2, 0.5 + _LEVEL / 2))
    return float(low), float(high)


def _order(episode: Episode) -> tuple[int, int]:
    """Failures first; of one outcome the newest first."""
    after = episode.after(JUDGED_D)
    rank = len(OUTCOMES) if after is None else OUTCOMES.index(after.outcome)
    return rank, -parse_instant(episode.at)


def _is_case(instrument: InstrumentId) -> bool:
    return describe(instrument).base == CASE_BASE
