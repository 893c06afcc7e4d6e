"""The doors of the simulated exchange: one market, or several that are coupled."""

from __future__ import annotations

import numpy as np

from liqscape.testing.market import _kernels as k
from liqscape.testing.market._build import new_script, new_tape, new_world, snapshot_steps, stacked
from liqscape.testing.market._publish import publish
from liqscape.testing.market.config import MarketConfig, VenuesConfig
from liqscape.testing.market.exogenous import draw_outside
from liqscape.testing.market.run import SimulatedRun


class SimulatedMarket:
    """A perpetual-futures market with exact accounts; opens no socket.

    Each step: the outside moves the fair price and the book refills; the mark is the index with the smoothed basis, bound to the
    last price; what is beyond its liquidation price is liquidated: large positions by steps with a pause between, the rest is
    taken over by the insurance fund at the bankruptcy price and unwound in a bounded book, or, when the fund has no money, closed
    against the winners; stops, top-ups, closes and openings; makers pass inventory to hedgers; funding.

    Parameters
    ----------
    config
        The market; default: the demo's.
    seed
        The same seed gives the same run, bit for bit, on one platform. The outside has its own random stream, so without impact
        prices do not depend on who trades.

    Examples
    --------
    >>> run = SimulatedMarket(MarketConfig(days=0.5, warmup_days=0.0, accounts=50), seed=1).run()
    >>> bool((run.steps.long_lots == run.steps.short_lots).all())
    True
    """

    def __init__(self, config: MarketConfig | None = None, seed: int = 1) -> None:
        self.config = MarketConfig() if config is None else config
        self.seed = seed

    def run(self) -> SimulatedRun:
        """Simulate the whole market and return what it published, with the truth."""
        return SimulatedVenues(VenuesConfig(markets=(self.config,)), self.seed).run()[0]


class SimulatedVenues:
    """Several markets that are coupled: one asset on several venues by arbitrage, two assets of one venue by wallets.

    Every market has its own book, mark, index, open interest, insurance fund and accounts, and obeys its own rules.

    Parameters
    ----------
    config
        The markets and what couples them.
    seed
        As for `SimulatedMarket`. A market alone is the same run in both.
    """

    def __init__(self, config: VenuesConfig, seed: int = 1) -> None:
        self.config = config
        self.seed = seed

    def run(self) -> tuple[SimulatedRun, ...]:
        """Simulate all markets side by side and return what each published, in the order of the configuration."""
        config, markets = self.config, self.config.markets
        outside_seed, people_seed, play_seed, print_seed = np.random.SeedSequence(self.seed).spawn(4)
        people_seeds = people_seed.spawn(len(markets))
        outside = draw_outside(config, outside_seed)
        snapshots = snapshot_steps(markets[0])
        rows = np.array([4_096, 256], np.int64)
        while True:
            world = new_world(config, [np.random.default_rng(s) for s in people_seeds], np.random.default_rng(play_seed))
            tape = new_tape(config, snapshots.size, world.seats.market.size, rows)
            k.simulate(world, new_script(config, world.seats), stacked(outside), snapshots, tape)
            if (tape.rows <= rows).all():
                break
            rows = 2 * tape.rows
        tape = tape._replace(forced=tape.forced[: tape.rows[k.FORCED]], deleveraged=tape.deleveraged[: tape.rows[k.DELEVERAGED]])
        rng = np.random.default_rng(print_seed)
        return tuple(publish(market, self.seed, i, outside[i], tape, world, rng) for i, market in enumerate(markets))
