"""A simulated market that goes on: its past is stored at once, its future row by row when its time comes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from liqscape.clock import now_ns
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import Completeness, PriceKind
from liqscape.store import Table
from liqscape.testing.market import MarketConfig, SimulatedMarket, SimulatedRun
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

PAST_DAYS, FUTURE_DAYS = 60, 3
_WRITER = "demo-market"


class DemoMarket:
    """A market whose record ends now, in a home of its own.

    Every start is a market of its own: the past is stored anew up to this moment, and for three days rows of what comes next
    are stored as they happen. Its instrument is marked as simulated, so that every view says so.

    Parameters
    ----------
    folder
        Holds `live-home`; made if it is not there.
    seed
        Which market.
    at_ns
        The present; for tests.

    Raises
    ------
    BadArgument
        If `live-home` holds data that is not simulated.
    """

    def __init__(self, folder: Path, *, seed: int = 7, at_ns: int | None = None, past_days: int = PAST_DAYS) -> None:
        self.home = folder / "live-home"
        self.workspace = Workspace(self.home)
        _clear(self.workspace)
        present = now_ns() if at_ns is None else at_ns
        start = present - present % NS_PER_HOUR - past_days * NS_PER_DAY
        run = SimulatedMarket(MarketConfig(days=past_days + FUTURE_DAYS, start_ns=start), seed=seed).run()
        self._tables = _rows(run)
        self._done_ns = 0
        self._batch = 0
        self.workspace.mark_simulated(run.bars.instrument)
        self.step(present)

    def step(self, at_ns: int | None = None) -> bool:
        """Store the rows that are known by now; False once the market is over."""
        present = now_ns() if at_ns is None else at_ns
        left = False
        for table, (frame, known) in self._tables.items():
            due = frame.filter(pl.Series((known > self._done_ns) & (known <= present)))
            left = left or bool((known > present).any())
            if due.height:
                self._batch += 1
                self.workspace.store.append(table, due, writer=_WRITER, batch=self._batch)
        self._done_ns = present
        return left


def _clear(workspace: Workspace) -> None:
    """Remove an earlier demo's market; refuse to touch anything else."""
    import shutil

    if not workspace.home.exists():
        return
    strangers = [str(name) for name in workspace.stored() if not workspace.is_simulated(name)]
    if strangers:
        raise BadArgument(
            f"demo: {str(workspace.home)!r} holds {', '.join(strangers)}, which no demo made; it was left alone",
            hint="Name another folder with --folder.",
        )
    shutil.rmtree(workspace.home)


def _rows(run: SimulatedRun) -> dict[Table, tuple[pl.DataFrame, np.ndarray[tuple[int], np.dtype[np.int64]]]]:
    """Return each table's rows in order, with the instant at which each is known."""
    bars, totals, funding = run.bars, run.liquidations, run.funding
    name = str(bars.instrument)
    bar_rows = pl.DataFrame(
        {
            "instrument": [name] * len(bars),
            "price_kind": [PriceKind.MARK.value] * len(bars),
            "interval_ns": [bars.interval_ns] * len(bars),
            "ts": bars.start_ns,
            **{column: getattr(bars, column) for column in ("open", "high", "low", "close", "volume_base", "taker_buy_base")},
            "source": ["simulated"] * len(bars),
        }
    )
    interest = pl.DataFrame(
        {
            "instrument": [name] * len(bars),
            "ts": bars.end_ns,
            "open_interest_base": bars.open_interest_base,
            "source": ["simulated"] * len(bars),
        }
    )
    total_rows = pl.DataFrame(
        {
            "instrument": [name] * len(totals),
            "interval_ns": [totals.interval_ns] * len(totals),
            "ts": totals.start_ns,
            "long_usd": totals.long_usd,
            "short_usd": totals.short_usd,
            "venues": [",".join(totals.venues) or bars.instrument.venue] * len(totals),
            "completeness": [Completeness.ALL.value] * len(totals),
            "source": ["simulated"] * len(totals),
        }
    )
    rates = pl.DataFrame(
        {
            "instrument": [name] * funding.ts_ns.size,
            "ts": funding.ts_ns,
            "rate": funding.rate,
            "interval_ns": [funding.interval_ns] * funding.ts_ns.size,
            "source": ["simulated"] * funding.ts_ns.size,
        }
    )
    return {
        Table.BARS: (bar_rows, bars.end_ns),
        Table.OPEN_INTEREST: (interest, bars.end_ns),
        Table.LIQUIDATION_TOTALS: (total_rows, totals.start_ns + totals.interval_ns),
        Table.FUNDING: (rates, funding.ts_ns),
    }
