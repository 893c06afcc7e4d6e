"""The resources of `/api/v1` that are about no instrument: what is stored, venues, settings, health, meters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import FastAPI, Query, Request
from msgspec import Struct
from starlette.responses import Response

from liqscape._version import __version__
from liqscape.clock import iso, now_ns
from liqscape.engine.recording.health import RecorderHealth, read_health
from liqscape.engine.venue_state import VenueState, describe_venues
from liqscape.errors import LiqscapeError
from liqscape.model import InstrumentId, describe
from liqscape.server import metrics, schema
from liqscape.server.words import Nothing, VenuesQuery
from liqscape.settings import ROWS
from liqscape.store import Table
from liqscape.units import NS_PER_S

if TYPE_CHECKING:
    from liqscape.server.app import Server

PREFIX = "/api/v1"
_TEXT = {200: {"description": "meters", "content": {"text/plain": {"schema": {"type": "string"}}}}}


class InstrumentRow(Struct, kw_only=True):
    """A stored instrument, from the start of its first bar to the end of its newest."""

    instrument: str
    base: str
    quote: str | None
    kind: str
    simulated: bool
    from_: str | None = msgspec.field(name="from")
    to: str | None


class InstrumentsData(Struct, kw_only=True):
    """`instruments`: what is stored; `bases` are the names that join several venues."""

    instruments: list[InstrumentRow]
    bases: list[str]


class SettingRow(Struct, kw_only=True):
    """One setting."""

    name: str
    value: Any
    default: Any
    unit: str
    help: str


class SettingsData(Struct, kw_only=True):
    """`settings`: names, values, units."""

    settings: list[SettingRow]


class VenuesData(Struct, kw_only=True):
    """`venues`: one row per adapter."""

    venues: tuple[VenueState, ...]


class RecorderState(Struct, kw_only=True):
    """A recorder of this home: whether it is at work, since when, and how each venue is doing.

    Parameters
    ----------
    age_s
        Since it last said something.
    venues
        State by adapter: live, partly, down, waiting ..; of a recorder that is not at work, as it was at its end.
    alarms
        What a person should look at, in words.
    """

    writer: str
    alive: bool
    stopped: bool
    started: str
    age_s: float
    waiting_rows: int
    venues: dict[str, str]
    alarms: list[str]


class HealthData(Struct, kw_only=True):
    """`health`: whether the server answers, and how old what it knows is.

    Parameters
    ----------
    status
        `ok`, `no data`, or what is wrong with the store.
    instruments
        End of the newest stored bar of each.
    recorders
        Those that ever wrote into this home.
    """

    status: str
    version: str
    now: str
    demo: bool
    instruments: dict[str, str | None]
    clients: int
    recorders: list[RecorderState] = []


def add(app: FastAPI, server: Server) -> None:
    """Add the routes to an application."""

    @app.get(f"{PREFIX}/instruments", responses=schema.answers("instruments", InstrumentsData), tags=["machine"])
    async def instruments(request: Request, where: Annotated[Nothing, Query()]) -> Response:
        """Return the stored instruments, and the bases that join several of them."""
        return await server.tell(request, "instruments", lambda: instruments_data(server))

    @app.get(f"{PREFIX}/venues", responses=schema.answers("venues", VenuesData), tags=["machine"])
    async def venues(request: Request, where: Annotated[VenuesQuery, Query()]) -> Response:
        """Return what each venue can tell, and how it is doing here: ages, gaps, budget, what is unverified."""
        return await server.tell(request, "venues", lambda: venues_data(server, where.venue), repr(where))

    @app.get(f"{PREFIX}/settings", responses=schema.answers("settings", SettingsData), tags=["machine"])
    async def settings(request: Request, where: Annotated[Nothing, Query()]) -> Response:
        """Return the settings in force; they are changed in the shell."""
        return await server.tell(request, "settings", lambda: settings_data(server))

    @app.get(f"{PREFIX}/health", responses=schema.answers("health", HealthData), tags=["machine"])
    async def health(request: Request, where: Annotated[Nothing, Query()]) -> Response:
        """Return whether the server answers, how old what it knows is, and what the recorders say."""
        return await server.tell(request, "health", lambda: health_data(server))

    @app.get(f"{PREFIX}/metrics", responses=_TEXT | schema.failures(), response_class=Response, tags=["machine"])
    @app.get("/metrics", include_in_schema=False)
    async def meters(where: Annotated[Nothing, Query()]) -> Response:
        """Return numbers about the server in the text format of Prometheus."""
        text = await server.memory.quick(lambda: meters_text(server))
        return Response(text, media_type=metrics.TYPE, headers={"cache-control": "no-store"})

    @app.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    async def openapi(where: Annotated[Nothing, Query()]) -> Response:
        """Return this description."""
        return Response(msgspec.json.encode(schema.describe(app)), media_type="application/json")


def instruments_data(server: Server) -> InstrumentsData:
    """List what is stored."""
    rows: dict[str, InstrumentRow] = {}
    for name, (first_ns, end_ns) in sorted(_extents(server).items()):
        what = describe(name)
        rows[str(name)] = InstrumentRow(
            instrument=str(name),
            base=what.base,
            quote=what.quote,
            kind=str(what.kind),
            simulated=server.workspace.is_simulated(name),
            from_=iso(first_ns),
            to=iso(end_ns),
        )
    return InstrumentsData(instruments=list(rows.values()), bases=sorted({row.base for row in rows.values()}))


def _extents(server: Server) -> dict[InstrumentId, tuple[int, int]]:
    """Return the start of the first and the end of the newest stored bar of each instrument, ns UTC."""
    found: dict[InstrumentId, tuple[int, int]] = {}
    for each in server.workspace.store.coverage():
        if each.table is Table.BARS:
            end = each.last_ns + (each.interval_ns or 0)
            first, last = found.get(each.instrument, (each.first_ns, end))
            found[each.instrument] = min(first, each.first_ns), max(last, end)
    return found


def venues_data(server: Server, names: str | None = None) -> VenuesData:
    """Describe the adapters and how they are doing."""
    from liqscape.api._arguments import venue_names
    from liqscape.venues.registry import choose

    return VenuesData(venues=describe_venues(server.workspace, choose(venue_names(names)), now_ns()))


def settings_data(server: Server) -> SettingsData:
    """List the settings; the home folder is not told to readers."""
    held = server.workspace.settings.model_dump()
    rows = [row for row in ROWS if row.name != "home"]
    return SettingsData(
        settings=[
            SettingRow(name=row.name, value=held.get(row.name), default=row.default, unit=row.unit, help=row.help) for row in rows
        ]
    )


def health_data(server: Server) -> HealthData:
    """Say how old the newest bars are, and what the recorders say; a store that cannot be read is said, not raised."""
    now = now_ns()
    try:
        ends: dict[str, str | None] = {str(name): iso(end) for name, (_, end) in sorted(_extents(server).items())}
        status = "ok" if ends else "no data"
    except LiqscapeError as error:
        ends, status = {}, error.message
    return HealthData(
        status=status,
        version=__version__,
        now=iso(now),
        demo=server.options.demo,
        instruments=ends,
        clients=server.hub.readers,
        recorders=[_recorder(each, now) for each in _recorders(server)],
    )


def _recorders(server: Server) -> tuple[RecorderHealth, ...]:
    try:
        return read_health(server.workspace)
    except LiqscapeError:
        return ()


def _recorder(each: RecorderHealth, now: int) -> RecorderState:
    return RecorderState(
        writer=each.writer,
        alive=each.alive(now),
        stopped=each.stopped,
        started=iso(each.started_ns),
        age_s=max(now - each.at_ns, 0) / NS_PER_S,
        waiting_rows=each.waiting_rows,
        venues={venue.key: venue.state for venue in each.venues},
        alarms=[alarm.words for alarm in each.alarms],
    )


def meters_text(server: Server) -> bytes:
    """Return all meters, those about the store and the recorders as they stand."""
    meters, now = server.meters, now_ns()
    meters.builds.set(server.memory.maps.misses)
    for gauge in (meters.ages, meters.recorder, meters.recorded, meters.waiting, meters.venues):
        gauge.clear()
    try:
        for name, (_, end) in _extents(server).items():
            meters.ages.labels(instrument=str(name)).set((now - end) / NS_PER_S)
        for table, version in zip(Table, server.memory.version(), strict=True):
            meters.store.labels(table=str(table)).set(version)
    except LiqscapeError:
        pass  # what cannot be read has no meter
    for each in _recorders(server):
        alive = each.alive(now)
        meters.recorder.labels(writer=each.writer).set(float(alive))
        meters.waiting.labels(writer=each.writer).set(each.waiting_rows)
        for table, rows in each.rows.items():
            meters.recorded.labels(writer=each.writer, table=table).set(rows)
        for venue in each.venues if alive else ():
            if venue.age_s is not None:
                meters.venues.labels(venue=venue.key).set(venue.age_s + (now - each.at_ns) / NS_PER_S)
    return meters.text()


MAKERS: dict[str, Callable[[Server], Any]] = {"health": health_data, "venues": venues_data}
