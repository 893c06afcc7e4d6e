"""What comes from outside the venue: the price process, the mood of traders and the volume of those who hold nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from liqscape.model.arrays import FloatArray
from liqscape.testing.market.config import Bursts, MarketConfig, VenuesConfig

_YEAR_S = 365 * 86_400
_DAY_S = 86_400.0
_TAIL_DEGREES = 5.0  # Student t of the innovations
_SLOW_S, _FAST_S = 6 * _DAY_S, 3 * 3600.0  # memory of the two volatility factors
_MOOD_S, _ACTIVITY_S = 4 * _DAY_S, 5 * _DAY_S


@dataclass(frozen=True)
class MarketOutside:
    """What one market gets from outside, one value per step, warm-up included.

    Parameters
    ----------
    log_return : float64[n]
    mood : float64[n], log-odds added to going long
    activity : float64[n], multiplies how quickly pauses pass, mean about 1; higher inside bursts
    burst : float64[n], side of the burst a step lies in: +1, -1, or 0 outside
    volume_base, taker_buy_base : float64[n], base units traded by accounts that end the step flat
    """

    log_return: FloatArray
    mood: FloatArray
    activity: FloatArray
    burst: FloatArray
    volume_base: FloatArray
    taker_buy_base: FloatArray


def _wander(rng: np.random.Generator, n: int, step_s: float, memory_s: float) -> FloatArray:
    """Return a stationary autoregression of unit variance with the given memory, float64[n]."""
    keep = math.exp(-step_s / memory_s)
    noise = math.sqrt(1.0 - keep * keep) * rng.standard_normal(n)
    noise[:1] = rng.standard_normal()  # begins in the stationary law
    return np.asarray(lfilter([1.0], [1.0, -keep], noise), np.float64)


def _draw_bursts(bursts: Bursts, n: int, step_s: float, rng: np.random.Generator) -> FloatArray:
    """Return the side of the burst that each step lies in, float64[n]: +1 longs, -1 shorts, 0 outside bursts."""
    gap_s = bursts.mean_s * (1.0 - bursts.share_of_time) / bursts.share_of_time
    number = 16 + 2 * round(n * step_s / (gap_s + bursts.mean_s))
    side = np.zeros(n)
    clock_s = 0.0
    while clock_s < n * step_s:
        gaps, lengths = rng.exponential(gap_s, number), rng.exponential(bursts.mean_s, number)
        signs = np.where(rng.random(number) < 0.5, 1.0, -1.0)
        ends = clock_s + np.cumsum(gaps + lengths)
        for i in range(number):
            side[round((ends[i] - lengths[i]) / step_s) : round(ends[i] / step_s)] = signs[i]
        clock_s = float(ends[-1])
    return side


def draw_market(config: MarketConfig, rng: np.random.Generator) -> MarketOutside:
    """Return the outside of a market by itself.

    `log_return = sigma * t + jump` with `log sigma` the sum of a slow and a fast factor and a daily rhythm; scaled so that its
    mean variance, jumps included, is `annual_volatility^2`.
    """
    n, step_s = config.warmup_steps + config.steps, float(config.step_s)
    scatter = config.volatility_scatter
    log_sigma = scatter * (1.0 * _wander(rng, n, step_s, _SLOW_S) + 0.9 * _wander(rng, n, step_s, _FAST_S))
    clock_s = (np.arange(n) - config.warmup_steps) * step_s
    log_sigma += 0.25 * np.sin(2.0 * np.pi * (clock_s / _DAY_S - 0.35))
    sigma = np.exp(log_sigma)
    jump_variance = config.jumps_per_day * 2.0 * config.jump_size**2 * 365.0  # per year; a Laplace has variance 2 b^2
    diffusive = max(config.annual_volatility**2 - jump_variance, 0.0) * step_s / _YEAR_S
    sigma *= math.sqrt(diffusive / np.mean(sigma**2))
    shock = rng.standard_t(_TAIL_DEGREES, n) * math.sqrt((_TAIL_DEGREES - 2.0) / _TAIL_DEGREES)
    jumps = np.where(rng.random(n) < config.jumps_per_day * step_s / _DAY_S, rng.laplace(0.0, config.jump_size, n), 0.0)
    mood = 0.35 * _wander(rng, n, step_s, _MOOD_S)
    activity = np.exp(0.35 * _wander(rng, n, step_s, _ACTIVITY_S) - 0.06)
    volume = config.outside_turnover_per_day * step_s / _DAY_S * np.exp(0.6 * rng.standard_normal(n) - 0.18)
    relative = sigma / np.mean(sigma)
    volume *= relative
    buys = 0.5 + 0.3 * np.tanh(0.7 * shock + 0.5 * rng.standard_normal(n))
    log_return = sigma * shock + jumps
    if config.price_path is not None:
        path = np.log(np.array([config.start_price, *config.price_path]))
        log_return = np.diff(path)
    burst = np.zeros(n)
    if config.bursts is not None:
        burst = _draw_bursts(config.bursts, n, step_s, rng)
        ratio, share = config.bursts.ratio, config.bursts.share_of_time
        activity *= np.where(burst != 0.0, ratio, 1.0) / (1.0 + share * (ratio - 1.0))
    return MarketOutside(log_return, mood, activity, burst, volume, volume * buys)


def draw_outside(config: VenuesConfig, seed: np.random.SeedSequence) -> list[MarketOutside]:
    """Return the outside of every market: markets of one asset share its returns, those of other assets follow the first.

    `r_k = c * (sigma_k / sigma_0) * r_0 + sqrt(1 - c^2) * own_k`, c the correlation.
    """
    seeds = seed.spawn(len(config.markets))
    drawn = [draw_market(m, np.random.default_rng(s)) for m, s in zip(config.markets, seeds, strict=True)]
    leader, own_share = config.markets[0], math.sqrt(1.0 - config.correlation**2)
    returns: dict[str, FloatArray] = {}
    for market, outside in zip(config.markets, drawn, strict=True):
        symbol = market.instrument.symbol
        if not returns:
            returns[symbol] = outside.log_return
        elif symbol not in returns and market.price_path is None:
            scale = config.correlation * market.annual_volatility / leader.annual_volatility
            returns[symbol] = scale * drawn[0].log_return + own_share * outside.log_return
        returns.setdefault(symbol, outside.log_return)
    return [replace(o, log_return=returns[m.instrument.symbol]) for m, o in zip(config.markets, drawn, strict=True)]
