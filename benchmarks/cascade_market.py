"""`python -m benchmarks.cascade_market [SHOCKS]`: what the cascade engine predicts of the simulated exchange, and what happens.

Each shock hits a market of its own: levels in five zones against an even book that does not refill. The engine is told both up
to a factor, and how uncertain that factor is; the market's own numbers are drawn from just that uncertainty. If the engine's
sums are right its probabilities are then calibrated, and they are sharper than those without a map.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table

from liqscape.cascade import Absorption, Basis, Direction, p_reach, static_paths
from liqscape.model import PositionSide
from liqscape.model.arrays import FloatArray
from liqscape.testing.market import ScriptedOrder, SimulatedMarket, known_cascade

RAN = 0.03  # a shock has run if the price is this far from where it was, fraction
ZONE = 0.02  # width of a zone, log price
ZONES, LEVELS, STEPS = 5, 1_000, 360
DEPTH_USD_PER_PERCENT = 10e6
MAP_SIGMA, ZONE_SIGMA, DEPTH_SIGMA = 0.3, 0.25, 0.3
DRAWS, BRAKES = 128, 64
DISTANCE = np.arange(201) * 0.0005


@dataclass(frozen=True)
class Shock:
    """One market and what it was said to do.

    Parameters
    ----------
    predicted, no_map
        Probability of a run, with the map and without it.
    ran
        Whether it did.
    """

    predicted: float
    no_map: float
    ran: bool


def shocked(seed: int) -> Shock:
    """Make a market, predict it, and run it."""
    rng = np.random.default_rng(seed)
    reproduction = np.exp(rng.normal(math.log(0.5), 0.6, ZONES))  # told, by zone
    shock_usd = DEPTH_USD_PER_PERCENT * rng.uniform(0.5, 2.0)
    factors = _uncertain(rng, 1)[0]
    depth = DEPTH_USD_PER_PERCENT * float(np.exp(rng.normal(0.0, DEPTH_SIGMA)))
    density = reproduction * DEPTH_USD_PER_PERCENT * factors  # USD per 1 % that stand in truth
    ran = moved(density, depth, shock_usd / (100.0 * depth)) >= RAN
    predicted, alone = _predicted(np.random.default_rng([seed, 1]), reproduction, shock_usd)
    return Shock(predicted, alone, bool(ran))


def _uncertain(rng: np.random.Generator, draws: int) -> FloatArray:
    """float64[draws, zones], factors between the map that is told and the one that stands."""
    return np.exp(rng.normal(0.0, MAP_SIGMA, (draws, 1)) + rng.normal(0.0, ZONE_SIGMA, (draws, ZONES)))


def _predicted(rng: np.random.Generator, reproduction: FloatArray, shock_usd: float) -> tuple[float, float]:
    away = -np.log(1.0 - DISTANCE)  # log distance of every edge
    within = np.clip(away[:, None] - ZONE * np.arange(ZONES), 0.0, ZONE)  # of each zone, how much lies before an edge
    told = reproduction * DEPTH_USD_PER_PERCENT * 100.0
    levels = _uncertain(rng, DRAWS) @ (np.diff(within, axis=0) * told).T
    book = 100.0 * DEPTH_USD_PER_PERCENT * np.exp(rng.normal(0.0, DEPTH_SIGMA, (BRAKES, 1))) * away
    standing = Absorption(DISTANCE, book, book, Basis.BOOK, 0.0, None, ())
    paths = static_paths(levels, standing, Direction.DOWN, shock_usd=shock_usd, paths=DRAWS * BRAKES)
    return p_reach(paths, RAN).value, p_reach(paths, RAN, no_map=True).value


def moved(density: FloatArray, depth: float, move: float) -> float:
    """Return how far the price of the simulated exchange falls, as a fraction, after an outside log move."""
    market = known_cascade(0.5, shock=move, extent=0.15, levels=LEVELS, depth_usd_per_percent=depth, steps=STEPS).config
    maintenance, start = market.brackets[0].maintenance_margin_rate, market.start_price
    away = (np.arange(LEVELS) + 0.5) * ZONE * ZONES / LEVELS
    usd = density[(away / ZONE).astype(int)] * 100.0 * ZONE * ZONES / LEVELS
    price = start * np.exp(-away)
    rate = 1.0 - price * (1.0 - maintenance) / start  # of margin, so that each is liquidated at its price
    orders = tuple(
        ScriptedOrder(step=0, position_side=PositionSide.LONG, quantity_base=float(u / p), leverage=float(1.0 / r))
        for u, p, r in zip(usd, price, rate, strict=True)
    )
    run = SimulatedMarket(replace(market, scripted=orders, lot_base=float(usd.min()) / start / 1e4), seed=1).run()
    return 1.0 - float(run.steps.last[-1] / run.steps.last[0])


def brier(shocks: list[Shock]) -> tuple[float, float, float]:
    """Return the Brier scores of the engine, of the engine without a map, and of the share that ran."""
    predicted, alone, ran = (np.array([getattr(s, name) for s in shocks], dtype=float) for name in ("predicted", "no_map", "ran"))
    return float(np.mean((predicted - ran) ** 2)), float(np.mean((alone - ran) ** 2)), float(ran.mean() * (1.0 - ran.mean()))


def reliability(shocks: list[Shock], bins: int = 5) -> list[tuple[int, float, float, float]]:
    """Return (shocks, mean prediction, share that ran, standard error if the prediction is right) of even bins that hold any."""
    predicted, ran = np.array([s.predicted for s in shocks]), np.array([s.ran for s in shocks])
    member = np.minimum((predicted * bins).astype(int), bins - 1)
    out: list[tuple[int, float, float, float]] = []
    for each in np.unique(member):
        mine = predicted[member == each]
        error = float(np.sqrt(np.sum(mine * (1.0 - mine)))) / mine.size
        out.append((mine.size, float(mine.mean()), float(ran[member == each].mean()), error))
    return out


def main(words: list[str]) -> None:
    """Shock many markets and tell, failures first."""
    shocks = [shocked(seed) for seed in range(int(words[0]) if words else 400)]
    alarms = [s for s in shocks if s.predicted >= 0.5]
    false, missed = sum(not s.ran for s in alarms), sum(s.ran for s in shocks if s.predicted < 0.5)
    console = Console()
    console.print(f"{len(shocks)} shocks, {sum(s.ran for s in shocks)} ran {RAN:.0%} or more")
    console.print(f"{false} of {len(alarms)} alarms (P >= 50 %) were false; {missed} runs came without one")
    engine, alone, climate = brier(shocks)
    console.print(f"Brier score: {engine:.4f}; without a map {alone:.4f}; the share that ran {climate:.4f}")
    table = Table("shocks", "predicted", "ran", "standard error")
    for count, mean, share, error in reliability(shocks):
        table.add_row(str(count), f"{mean:.3f}", f"{share:.3f}", f"{error:.3f}")
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
