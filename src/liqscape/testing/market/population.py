"""Who trades: the traits of every account, drawn once from the groups of the configuration."""

from __future__ import annotations

import numpy as np

from liqscape.model import MarginMode, PositionSide
from liqscape.testing.market._world import Script, Traits
from liqscape.testing.market.config import MarketConfig

# Accounts differ within their group: log scatter of lifetime and pause.
_LIFE_SCATTER = 0.5
_WAIT_SCATTER = 0.4


def draw_traits(config: MarketConfig, rng: np.random.Generator) -> Traits:
    """Return the traits of `config.accounts` traders, followed by one passive account per scripted order.

    Size is `group size x Pareto`, leverage `group leverage x lognormal x (relative size)^-slope`: large accounts are less
    levered. The mix over all accounts is therefore a mixture of lognormals, not a power law.
    """
    n, habits = config.accounts, config.behaviour
    shares = np.array([g.share for g in config.groups])
    kind = rng.choice(len(config.groups), size=n, p=shares / shares.sum())

    def of_group(name: str) -> np.ndarray:
        return np.array([getattr(g, name) for g in config.groups], np.float64)[kind]

    relative = np.minimum((1.0 - rng.random(n)) ** (-1.0 / habits.size_tail), habits.size_cut)
    leverage = of_group("leverage") * np.exp(habits.leverage_scatter * rng.standard_normal(n))
    style = rng.random(n)
    strength = habits.signal_strength * rng.exponential(1.0, n)
    life = of_group("life_s") * np.exp(_LIFE_SCATTER * rng.standard_normal(n))
    wait = of_group("wait_s") * np.exp(_WAIT_SCATTER * rng.standard_normal(n))
    momentum = style < habits.momentum_share
    contrarian = ~momentum & (style < habits.momentum_share + habits.contrarian_share)
    extra = len(config.scripted)

    def joined(values: np.ndarray, passive: float) -> np.ndarray:
        return np.concatenate([values.astype(np.float64), np.full(extra, passive)])

    scripted_cross = np.array([o.margin_mode is MarginMode.CROSS for o in config.scripted], np.bool_)
    return Traits(
        size_usd=joined(of_group("size_usd") * relative, 0.0),
        leverage=joined(leverage * relative**-habits.leverage_size_slope, 1.0),
        life_s=joined(life, np.inf),
        wait_s=joined(wait, np.inf),
        signal=joined(np.where(momentum, strength, np.where(contrarian, -strength, 0.0)), 0.0),
        bias=joined(habits.long_bias + 0.5 * rng.standard_normal(n), 0.0),
        slow=np.concatenate([life > 86_400.0, np.zeros(extra, np.bool_)]),
        stops=np.concatenate([rng.random(n) < habits.stop_share, np.zeros(extra, np.bool_)]),
        tops_up=np.concatenate([rng.random(n) < habits.top_up_share, np.zeros(extra, np.bool_)]),
        cross=np.concatenate([rng.random(n) < habits.cross_share, scripted_cross]),
    )


def first_waits(traits: Traits, rng: np.random.Generator) -> np.ndarray:
    """Return the pause before each account's first position, seconds: some are due at once, as if the market were old."""
    n = traits.wait_s.size
    with np.errstate(invalid="ignore"):
        flat_share = np.where(np.isfinite(traits.wait_s), traits.wait_s / (traits.wait_s + traits.life_s), 1.0)
    due = rng.random(n) > flat_share
    return np.where(due, rng.random(n) * 3600.0, traits.wait_s * rng.exponential(1.0, n))


def script(config: MarketConfig) -> Script:
    """Return the scripted orders as arrays; their accounts follow the traders."""
    orders = config.scripted
    return Script(
        step=np.array([o.step for o in orders], np.int64),
        account=config.accounts + np.arange(len(orders), dtype=np.int64),
        side=np.array([1 if o.position_side is PositionSide.LONG else -1 for o in orders], np.int64),
        lots=np.array([round(o.quantity_base / config.lot_base) for o in orders], np.int64),
        leverage=np.array([o.leverage for o in orders], np.float64),
    )
