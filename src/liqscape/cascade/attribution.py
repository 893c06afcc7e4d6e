"""How much of a past move was forced (F30): the move replayed without the forced orders, and what breaches of levels show.

`attribute` moves the price by the same impact as the simulation, once with the forced flow and once without, and divides what
forced orders, other takers and withdrawn quotes did among them (Shapley: the mean over every order of taking them out). What
the flows do not explain is left unexplained: news needs no flow. The interval comes from what is uncertain about impact and
about the dollars that feeds leave out; it is often wide.

Moves cause liquidations as well as the other way round. `discontinuity` uses the jump in map density at a level: just before a
breach the path is the same whatever lies behind, so moves after it that grow with what lay just behind less what lay just
before can only come from there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from liqscape.cascade.absorption import REFILL
from liqscape.cascade.base import NORMAL_90, SEED, Factor, exactly, interval
from liqscape.cascade.venues import Physics
from liqscape.errors import BadArgument, NoData
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.model.maps import Estimate

DRAWS = 400
POWER_80 = 2.8015852  # standard errors between zero and an effect that a 5 % test finds in 80 % of all cases


class Attribution(Struct, frozen=True, kw_only=True):
    """What a move was made of; shares are of the observed move and make 1 together, draw by draw.

    Parameters
    ----------
    move
        Log return that was observed.
    forced, taker, withdrawal, unexplained
        Shares: forced orders, other taker flow, depth below its reference, the rest. A share may lie below 0 or above 1: the
        others then worked against it. `taker` is unknown (None) without taker flow and is then part of `unexplained`;
        `withdrawal` without a reference.
    counterfactual
        Log return had nothing been forced, at the depth that was there.
    """

    move: float
    forced: Estimate
    taker: Estimate
    withdrawal: Estimate
    unexplained: Estimate
    counterfactual: Estimate


@dataclass(frozen=True)
class Replay:
    """One past move, step by step.

    Parameters
    ----------
    price : float64[n + 1], quote per base, at the beginning and after each step
    forced_usd : float64[n], signed dollars of forced orders as published: buying > 0
    depth_usd : float64[n] or a number, dollars that stand per unit of log distance
    taker_usd : float64[n], signed net taker flow, forced orders among it; None if not known
    calm_depth_usd
        The depth that is usual, for what withdrawal did; None if not known.
    step_s
        Seconds of a step.
    """

    price: FloatArray
    forced_usd: FloatArray
    depth_usd: FloatArray
    taker_usd: FloatArray | None = None
    calm_depth_usd: FloatArray | None = None
    step_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit, and a move of nothing."""
        steps = self.forced_usd.size
        depths = [each for each in (self.depth_usd, self.calm_depth_usd) if each is not None]
        flows = [each for each in (self.forced_usd, self.taker_usd) if each is not None]
        fits = [each.size in (1, steps) for each in depths] + [each.size == steps for each in flows]
        fits += [steps > 0, self.price.size == steps + 1, self.step_s > 0.0]
        fits += [bool(np.all(np.isfinite(each))) for each in (self.price, *depths, *flows)]
        if not (all(fits) and all(bool(np.all(each > 0.0)) for each in (self.price, *depths))):
            raise BadArgument(
                f"cascade: attribution: expected {steps + 1} prices > 0, depth > 0 and flows for {steps} steps, all known; "
                f"received {self.price.size} prices and {self.depth_usd.size} depths.",
                hint="Cut the window so that no gap is in it.",
            )
        if self.price[0] == self.price[-1]:
            raise NoData("cascade: attribution: the price ended where it began.", hint="Choose the window of a move.")


STANDING = REFILL.times(1.0 / REFILL.median)


def attribute(
    replay: Replay,
    *,
    reported: Factor | None = None,
    refill: Factor = STANDING,
    physics: Physics | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Attribution:
    """Replay a move without its forced orders.

    Parameters
    ----------
    reported
        Share of forced dollars that the feeds publish; they are divided by it. All of them by default.
    refill
        Dollars absorbed per dollar that stands. By default about 1, as uncertain as refill is: impact that fades is the
        book's refill already.
    physics
        Permanent share and time constant of impact.
    """
    nature = physics or Physics()
    generator = np.random.default_rng(seed)
    share = np.minimum((reported or exactly(1.0)).draws(generator, draws), 1.0)
    absorbs, lasting = refill.draws(generator, draws), np.minimum(nature.permanent.draws(generator, draws), 1.0)
    left = _left(replay, lasting, nature.tau_s.draws(generator, draws))
    move = float(np.log(replay.price[-1] / replay.price[0]))

    def pushed(flow: FloatArray, depth: FloatArray) -> FloatArray:
        """float64[draws], log return at the end that a flow brings about at a depth."""
        return (left @ (flow / np.broadcast_to(depth, flow.shape))) / absorbs

    now = replay.depth_usd
    calm = now if replay.calm_depth_usd is None else replay.calm_depth_usd
    forced, forced_calm = pushed(replay.forced_usd, now) / share, pushed(replay.forced_usd, calm) / share
    other = other_calm = np.zeros(draws)
    if replay.taker_usd is not None:
        other, other_calm = pushed(replay.taker_usd, now) - forced, pushed(replay.taker_usd, calm) - forced_calm
    withdrawal = 0.5 * (forced - forced_calm + other - other_calm)
    unknown = Estimate(median=None, lo=None, hi=None)
    return Attribution(
        move=move,
        forced=interval(0.5 * (forced + forced_calm) / move),
        taker=unknown if replay.taker_usd is None else interval(0.5 * (other + other_calm) / move),
        withdrawal=unknown if replay.calm_depth_usd is None else interval(withdrawal / move),
        unexplained=interval(1.0 - (forced + other) / move),
        counterfactual=interval(move - forced),
    )


def speed_ratio(log_return: float, sigma_1d: float, seconds: float) -> float:
    """Return the size of a move by what is usual for its length: |r| / (sigma sqrt(dt))."""
    if not (sigma_1d > 0.0 and seconds > 0.0):
        raise BadArgument(
            f"cascade: speed: expected volatility and seconds > 0, received {sigma_1d}, {seconds}.",
            hint="Volatility of one day, as a fraction.",
        )
    return abs(log_return) / (sigma_1d * math.sqrt(seconds / 86_400.0))


class Discontinuity(Struct, frozen=True, kw_only=True):
    """What lay just behind breached levels did to the moves after them.

    Parameters
    ----------
    slope
        Move after the breach, fraction of the price, per unit of excess, with its 80 % interval by whole groups.
    share
        Part of the mean move after a breach that the mean excess makes up.
    breaches, groups
        How many there were, and on how many independent days.
    smallest_visible
        Least slope that a 5 % test would have found in 80 % of all such samples.
    """

    slope: Estimate
    share: Estimate
    breaches: int
    groups: int
    smallest_visible: float


def discontinuity(
    excess: FloatArray,
    after: FloatArray,
    before: FloatArray,
    group: IntArray,
    *,
    draws: int = 1000,
    seed: int = SEED,
) -> Discontinuity:
    """Regress moves after breaches on the jump of map density at the level, the path before held fixed.

    Parameters
    ----------
    excess : float64[n], forced dollars just beyond the level less those just short of it, by the depth there
    after : float64[n], move in the direction of the breach over a fixed time after it, fraction
    before : float64[n], the same before it
    group : int64[n], what is drawn as a whole by the bootstrap, such as the day

    Raises
    ------
    NoData
        If fewer than 8 groups have a breach, or the excess never varies.
    """
    names, member = np.unique(group, return_inverse=True)
    if names.size < 8 or np.ptp(excess) == 0.0:
        raise NoData(
            f"cascade: discontinuity: {excess.size} breaches on {names.size} days; "
            "at least 8 days with different levels are needed.",
            hint="Take a longer record or more levels.",
        )
    design = np.column_stack((excess, before, np.ones_like(excess)))
    # Sums by group: a bootstrap draw is then a sum of small matrices.
    squares, products = np.zeros((names.size, 3, 3)), np.zeros((names.size, 3))
    np.add.at(squares, member, design[:, :, None] * design[:, None, :])
    np.add.at(products, member, design * after[:, None])
    moves = np.bincount(member, weights=after, minlength=names.size)
    chosen = np.random.default_rng(seed).multinomial(names.size, np.full(names.size, 1.0 / names.size), size=draws)
    drawn: FloatArray = (chosen @ squares.reshape(-1, 9)).reshape(-1, 3, 3)
    slopes = _slopes(drawn, chosen @ products)
    slope = float(_slopes(squares.sum(axis=0)[None], products.sum(axis=0)[None])[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = slopes * drawn[:, 0, 2] / (chosen @ moves)
        share = slope * float(excess.sum()) / float(after.sum())
    tails = np.quantile(slopes, (0.1, 0.9)), np.quantile(shares[np.isfinite(shares)], (0.1, 0.9))
    error = float(tails[0][1] - tails[0][0]) / (2.0 * NORMAL_90)
    return Discontinuity(
        slope=Estimate(median=slope, lo=float(tails[0][0]), hi=float(tails[0][1])),
        share=Estimate(median=share, lo=float(tails[1][0]), hi=float(tails[1][1])),
        breaches=excess.size,
        groups=names.size,
        smallest_visible=POWER_80 * error,
    )


def _left(replay: Replay, lasting: FloatArray, tau_s: FloatArray) -> FloatArray:
    """float64[draws, n], part of each step's impact that is left at the end of the last one."""
    age = (replay.forced_usd.size - 1 - np.arange(replay.forced_usd.size)) * replay.step_s
    return lasting[:, None] + (1.0 - lasting[:, None]) * np.exp(-age / tau_s[:, None])


def _slopes(squares: FloatArray, products: FloatArray) -> FloatArray:
    """float64[draws], first coefficient of each least-squares problem.

    A draw of few groups can leave the path undetermined; the least-norm answer then ignores what does not vary.
    """
    answers: FloatArray = np.linalg.pinv(squares) @ products[:, :, None]
    return answers[:, 0, 0]
