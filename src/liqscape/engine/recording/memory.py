"""What a recorder knows when it starts: what the tables hold, and until when somebody listened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def recollect(workspace: Workspace, key: str, specs: Mapping[str, InstrumentSpec], now_ns: int) -> Known:
    """Read what is known of a venue's instruments. Slow: to be called in a thread."""
    names = {str(spec.id): spec.id for spec in specs.values()}
    known = Known(since=_heard(workspace, key, names))
    mine = pl.col("instrument").is_in(list(names))
    minute = pl.col("interval_ns") == NS_PER_MINUTE
    newest = workspace.store.latest(Table.BARS).filter(mine & minute)
    for instrument, kind, ts in newest.select("instrument", "price_kind", "ts").iter_rows():
        known.edges[names[instrument], PriceKind(kind)] = ts + NS_PER_MINUTE
    recent = workspace.store.read(Table.BARS, start_ns=now_ns - HOLES_NS, where={"interval_ns": NS_PER_MINUTE}).filter(mine)
    jumps = (
        recent.sort("instrument", "price_kind", "ts")
        .with_columns((pl.col("ts").shift(1).over("instrument", "price_kind") + NS_PER_MINUTE).alias("expected"))
        .filter(pl.col("ts") > pl.col("expected"))
    )
    for instrument, kind, begin, end in jumps.select("instrument", "price_kind", "expected", "ts").iter_rows():
        series = (names[instrument], PriceKind(kind))
        known.holes[series] = [*known.holes.get(series, ()), (begin, end)]
    for table in (Table.FUNDING, Table.OPEN_INTEREST, Table.DEPTH, Table.RATIOS):
        population = pl.col("population") if table is Table.RATIOS else pl.lit("")
        rows = workspace.store.latest(table).filter(mine).select("instrument", population.alias("population"), "ts")
        for instrument, which, ts in rows.iter_rows():
            known.newest[table, names[instrument], which] = ts
    return known


def recent_prints(workspace: Workspace, specs: Mapping[str, InstrumentSpec], start_ns: int) -> list[Key]:
    """Return the keys of the stored prints of a venue since an instant."""
    names = {str(spec.id): spec.id for spec in specs.values()}
    rows = workspace.store.read(Table.LIQUIDATIONS, start_ns=start_ns).filter(pl.col("instrument").is_in(list(names)))
    return list(_keys(rows, names))


def stored_prints(store: Store, name: InstrumentId, start_ns: int, end_ns: int) -> Iterator[Key]:
    """Yield the keys of the stored prints of one instrument in a stretch of time."""
    return _keys(store.read(Table.LIQUIDATIONS, name, start_ns=start_ns, end_ns=end_ns), {str(name): name})


def _heard(workspace: Workspace, key: str, names: Mapping[str, InstrumentId]) -> dict[InstrumentId, int]:
    value = workspace.state.get(HEARD, key)
    told = cast("dict[str, int]", value) if isinstance(value, dict) else {}
    return {names[name]: ns for name, ns in told.items() if name in names}


def _keys(rows: pl.DataFrame, names: Mapping[str, InstrumentId]) -> Iterator[Key]:
    columns = rows.select("instrument", "ts", "position_side", "price", "quantity_base")
    for instrument, ts, side, price, quantity in columns.iter_rows():
        yield (names[instrument], ts, PositionSide(side), price, quantity)
