"""What a recorder knows when it starts: what the tables hold, and until when somebody listened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import polars as pl

from liqscape.engine.recording.keeper import Key as Series
from liqscape.engine.recording.keeper import Stretch
from liqscape.engine.recording.merger import Key
from liqscape.engine.workspace import Workspace
from liqscape.model import InstrumentId, InstrumentSpec, PositionSide, PriceKind
from liqscape.store import Store, Table
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

HEARD = "heard"  # namespace of the small state
HOLES_NS = 6 * NS_PER_HOUR  # how far back holes between stored bars are looked for


Newest = tuple[Table, InstrumentId, str]


@dataclass
class Known:
    """Of one venue.

    Parameters
    ----------
    edges, holes
        Per series of bars: the first minute that is not stored, and stretches before it that are not.
    newest
        Instant of the newest stored row by table, instrument and population.
    since
        Instruments that were recorded before, and until when their liquidations are complete.
    """

    edges: dict[Series, int] = field(default_factory=dict[Series, int])
    holes: dict[Series, Sequence[Stretch]] = field(default_factory=dict[Series, Sequence[Stretch]])
    newest: dict[Newest, int] = field(default_factory=dict[Newest, int])
    since: dict[InstrumentId, int] = field(default_factory=dict[InstrumentId, int])


class Past:
    """What the tables of a home folder hold of every series, read once and shared by all venues of a recorder.

    Nobody else stores what this recorder records, so it does not age while a venue cannot be reached.
    """

    def __init__(self, workspace: Workspace, now_ns: Callable[[], int]) -> None:
        self._workspace, self._now_ns = workspace, now_ns
        self._lock = threading.Lock()
        self._edges: dict[tuple[str, str], int] | None = None
        self._holes: dict[tuple[str, str], list[Stretch]] = {}
        self._newest: dict[tuple[Table, str, str], int] = {}

    def of(self, key: str, specs: Mapping[str, InstrumentSpec]) -> Known:
        """Return what is known of a venue's instruments. Slow the first time: to be called in a thread."""
        with self._lock:
            edges = self._edges if self._edges is not None else self._read()
        names = {str(spec.id): spec.id for spec in specs.values()}
        return Known(
            edges={(names[n], PriceKind(kind)): edge for (n, kind), edge in edges.items() if n in names},
            holes={(names[n], PriceKind(kind)): holes for (n, kind), holes in self._holes.items() if n in names},
            newest={(table, names[n], which): ts for (table, n, which), ts in self._newest.items() if n in names},
            since={names[n]: ns for n, ns in heard(self._workspace, key).items() if n in names},
        )

    def _read(self) -> dict[tuple[str, str], int]:
        store = self._workspace.store
        minute = pl.col("interval_ns") == NS_PER_MINUTE
        bars = store.latest(Table.BARS).filter(minute).select("instrument", "price_kind", "ts")
        edges = {(name, kind): ts + NS_PER_MINUTE for name, kind, ts in bars.iter_rows()}
        since = self._now_ns() - HOLES_NS
        recent = store.read(Table.BARS, start_ns=since, where={"interval_ns": NS_PER_MINUTE})
        jumps = (
            recent.select("instrument", "price_kind", "ts")
            .sort("instrument", "price_kind", "ts")
            .with_columns((pl.col("ts").shift(1).over("instrument", "price_kind") + NS_PER_MINUTE).alias("expected"))
            .filter(pl.col("ts") > pl.col("expected"))
        )
        for name, kind, begin, end in jumps.select("instrument", "price_kind", "expected", "ts").iter_rows():
            self._holes.setdefault((name, kind), []).append((begin, end))
        for table in (Table.FUNDING, Table.OPEN_INTEREST, Table.DEPTH, Table.RATIOS):
            population = pl.col("population") if table is Table.RATIOS else pl.lit("")
            rows = store.latest(table).select("instrument", population.alias("population"), "ts")
            self._newest |= {(table, name, which): ts for name, which, ts in rows.iter_rows()}
        self._edges = edges
        return edges


def heard(workspace: Workspace, key: str) -> dict[str, int]:
    """Return until when the liquidations of an adapter's instruments are complete, as far as it was ever recorded."""
    value = workspace.state.get(HEARD, key)
    return cast("dict[str, int]", value) if isinstance(value, dict) else {}


def recent_prints(workspace: Workspace, specs: Mapping[str, InstrumentSpec], start_ns: int) -> list[Key]:
    """Return the keys of the stored prints of a venue since an instant."""
    names = {str(spec.id): spec.id for spec in specs.values()}
    rows = workspace.store.read(Table.LIQUIDATIONS, start_ns=start_ns).filter(pl.col("instrument").is_in(list(names)))
    return list(_keys(rows, names))


def stored_prints(store: Store, name: InstrumentId, start_ns: int, end_ns: int) -> Iterator[Key]:
    """Yield the keys of the stored prints of one instrument in a stretch of time."""
    return _keys(store.read(Table.LIQUIDATIONS, name, start_ns=start_ns, end_ns=end_ns), {str(name): name})


def _keys(rows: pl.DataFrame, names: Mapping[str, InstrumentId]) -> Iterator[Key]:
    columns = rows.select("instrument", "ts", "position_side", "price", "quantity_base")
    for instrument, ts, side, price, quantity in columns.iter_rows():
        yield (names[instrument], ts, PositionSide(side), price, quantity)
