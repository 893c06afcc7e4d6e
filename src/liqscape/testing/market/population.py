"""Who trades: the traits of every account, drawn once from the groups of the configuration."""

from __future__ import annotations

from typing import Any

import numpy as np

from liqscape.model import MarginMode
from liqscape.testing.market._world import TRAITS
from liqscape.testing.market.config import MarketConfig

# Accounts differ within their group: log scatter of lifetime and pause.
_LIFE_SCATTER = 0.5
_WAIT_SCATTER = 0.4


def draw_traits(config: MarketConfig, rng: np.random.Generator) -> Any:
    """Return the traits of `config.accounts` traders, followed by one passive account per scripted order: records of `TRAITS`.

    Size is `group size x Pareto`, for small accounts much less; leverage `group leverage x lognormal x (relative size)^-slope`:
    large accounts are less levered. The mix over all accounts is therefore a mixture of lognormals, not a power law.
    """
    n, habits = config.accounts, config.behaviour
    shares = np.array([g.share for g in config.groups])
    kind = rng.choice(len(config.groups), size=n, p=shares / shares.sum())

    def of_group(name: str) -> np.ndarray:
        return np.array([getattr(g, name) for g in config.groups], np.float64)[kind]

    relative = np.minimum((1.0 - rng.random(n)) ** (-1.0 / habits.size_tail), habits.size_cut)
    small = rng.random(n) < habits.small_share
    relative[small] *= np.exp(-habits.small_scatter * rng.standard_exponential(int(small.sum())))
    leverage = of_group("leverage") * np.exp(habits.leverage_scatter * rng.standard_normal(n))
    style = rng.random(n)
    strength = habits.signal_strength * rng.exponential(1.0, n)
    life = of_group("life_s") * np.exp(_LIFE_SCATTER * rng.standard_normal(n))
    wait = of_group("wait_s") * np.exp(_WAIT_SCATTER * rng.standard_normal(n))
    momentum = style < habits.momentum_share
    contrarian = ~momentum & (style < habits.momentum_share + habits.contrarian_share)
    traits = np.zeros(n + len(config.scripted), TRAITS)
    own, scripted = traits[:n], traits[n:]
    own["size_usd"] = of_group("size_usd") * relative
    own["leverage"] = leverage * np.maximum(relative, 1.0) ** -habits.leverage_size_slope
    own["life_s"], own["wait_s"] = life, wait
    own["signal"] = np.where(momentum, strength, np.where(contrarian, -strength, 0.0))
    own["bias"] = habits.long_bias + 0.5 * rng.standard_normal(n)
    own["slow"] = life > 86_400.0
    own["stops"] = rng.random(n) < habits.stop_share
    own["tops_up"] = rng.random(n) < habits.top_up_share
    own["cross"] = rng.random(n) < habits.cross_share
    scripted["leverage"], scripted["life_s"], scripted["wait_s"] = 1.0, np.inf, np.inf
    scripted["cross"] = [o.margin_mode is MarginMode.CROSS for o in config.scripted]
    return traits


def first_waits(traits: Any, rng: np.random.Generator) -> np.ndarray:
    """Return the pause before each account's first position, seconds: some are due at once, as if the market were old."""
    wait, life = np.asarray(traits["wait_s"], np.float64), np.asarray(traits["life_s"], np.float64)
    n = wait.size
    with np.errstate(invalid="ignore"):
        flat_share = np.where(np.isfinite(wait), wait / (wait + life), 1.0)
    due = rng.random(n) > flat_share
    return np.where(due, rng.random(n) * 3600.0, wait * rng.exponential(1.0, n))
