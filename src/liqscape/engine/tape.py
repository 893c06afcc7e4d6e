"""Published liquidations as they were: sums per interval and totals, complete or not (feature F36)."""

from __future__ import annotations

from dataclasses import dataclass

from liqscape.clock import now_ns
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData
from liqscape.model import InstrumentId, LiquidationSeries
from liqscape.store import Table, read_liquidations
from liqscape.units import parse_duration_ns


@dataclass(frozen=True)
class Published:
    """What the feeds showed of one instrument.

    Parameters
    ----------
    as_of_ns
        Nothing known later is in it.
    series
        Sums per interval by side of the position that was closed; absent intervals are unknown, not zero.
    simulated
        Whether the rows are simulated.
    """

    instrument: InstrumentId
    as_of_ns: int
    from_ns: int
    series: LiquidationSeries
    simulated: bool

    @property
    def long_usd(self) -> float:
        """Long positions closed, USD, over the known intervals."""
        return float(self.series.long_usd.sum())

    @property
    def short_usd(self) -> float:
        """Short positions closed, USD, over the known intervals."""
        return float(self.series.short_usd.sum())


def published(
    workspace: Workspace, asked: str, *, as_of_ns: int | None = None, window: str = "7d", venues: tuple[str, ...] = ()
) -> tuple[Published, ...]:
    """Return what was published of each instrument that a name means, in the window before `as_of_ns`.

    Raises
    ------
    UnknownInstrument
        If nothing stored has this name.
    NoData
        If no liquidations are stored in the window.
    """
    width = parse_duration_ns(window)
    out: list[Published] = []
    for instrument in workspace.resolve(asked, venues):
        at = as_of_ns if as_of_ns is not None else _newest(workspace, instrument)
        series = read_liquidations(workspace.store, instrument, start_ns=at - width, end_ns=at, known_by_ns=at)
        if len(series):
            out.append(Published(instrument, at, at - width, series, workspace.is_simulated(instrument)))
    if not out:
        raise NoData(
            f"{asked}: no published liquidations are stored in the {window} before then",
            hint="Import liquidations, ask for a longer --window, or look at `liqscape doctor`.",
        )
    return tuple(out)


def _newest(workspace: Workspace, instrument: InstrumentId) -> int:
    """End of the newest stored interval or print, ns UTC; now if there is none."""
    tables = (Table.LIQUIDATION_TOTALS, Table.LIQUIDATIONS)
    ends = [
        c.last_ns + (c.interval_ns or 1) for c in workspace.store.coverage() if c.instrument == instrument and c.table in tables
    ]
    return max(ends, default=now_ns())
