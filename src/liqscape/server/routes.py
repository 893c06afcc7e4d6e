"""The resources of `/api/v1` about an instrument: each reads its words and sends what the shell prints with --json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Path, Query, Request
from msgspec import Raw
from starlette.responses import Response

from liqscape.api.answers.data import AsymmetryData, FuelData, HeatmapData, MapData, MovesData, NowData, ZonesData
from liqscape.api.answers.history import Shape, answer_fuel, answer_heatmap
from liqscape.api.answers.maps import answer_asymmetry, answer_map, answer_moves, answer_now, answer_zones
from liqscape.api.answers.prints import LiquidationsData, answer_liquidations
from liqscape.api.answers.record import AccuracyData, EpisodesData, answer_accuracy, answer_episodes
from liqscape.api.answers.shocks import answer_cascade
from liqscape.api.envelope import Links, encode, plain_meta
from liqscape.api.question import Answered, Question, Words
from liqscape.errors import NoData
from liqscape.model.heat_scale import scale_between
from liqscape.server import machine, schema
from liqscape.server.bodies import ASK_AGAIN, IMMUTABLE
from liqscape.server.heat import Grid, HeatData, describe_grid
from liqscape.server.shapes import CascadeData
from liqscape.server.words import (
    AsymmetryQuery,
    Built,
    CascadeQuery,
    EpisodesQuery,
    FuelQuery,
    HeatQuery,
    Instrument,
    LedgerQuery,
    LiquidationsQuery,
    MapQuery,
    MovesQuery,
    Nothing,
    TilesQuery,
    ZonesQuery,
)

if TYPE_CHECKING:
    from liqscape.server.app import Said, Server

PREFIX = "/api/v1"
GridName = Annotated[str, Path(pattern=r"^[0-9a-f]{18}$", description="Name of a grid, from `heat`.")]
_MAP_ERRORS = (404, 412, 503)


def add(app: FastAPI, server: Server) -> None:
    """Add all routes to an application."""
    _add_readings(app, server)
    _add_heat(app, server)
    _add_record(app, server)
    machine.add(app, server)


def _add_readings(app: FastAPI, server: Server) -> None:
    @app.get(f"{PREFIX}/{{instrument}}/now", responses=schema.answers("now", NowData, *_MAP_ERRORS), tags=["map"])
    async def now(request: Request, instrument: Instrument, where: Annotated[Built, Query()]) -> Response:
        """Return the state of a market on one screen: headline, pools, nearest zones, moves."""
        return await server.answer(request, "now", instrument, where, lambda q: answer_now(q, where.words()))

    @app.get(f"{PREFIX}/{{instrument}}/map", responses=schema.answers("map", MapData, *_MAP_ERRORS), tags=["map"])
    async def map_(request: Request, instrument: Instrument, where: Annotated[MapQuery, Query()]) -> Response:
        """Return where positions would be liquidated: dollars by price, shorts above the mark and longs below it."""

        def make(question: Question) -> Answered[Any]:
            return answer_map(question, where.words(), within=where.within, step=where.step, range_=where.range)

        return await server.answer(request, "map", instrument, where, make)

    @app.get(
        f"{PREFIX}/{{instrument}}/asymmetry", responses=schema.answers("asymmetry", AsymmetryData, *_MAP_ERRORS), tags=["map"]
    )
    async def asymmetry(request: Request, instrument: Instrument, where: Annotated[AsymmetryQuery, Query()]) -> Response:
        """Return shorts against longs in each distance window, with both sides' shape."""

        def make(question: Question) -> Answered[Any]:
            return answer_asymmetry(question, where.words(), within=where.within, range_=where.range, usd=where.usd)

        return await server.answer(request, "asymmetry", instrument, where, make)

    @app.get(f"{PREFIX}/{{instrument}}/move-to", responses=schema.answers("move-to", MovesData, *_MAP_ERRORS), tags=["map"])
    async def move_to(request: Request, instrument: Instrument, where: Annotated[MovesQuery, Query()]) -> Response:
        """Return how far price must move, each way, to liquidate budgets, with the odds of that with no map."""
        return await server.answer(request, "move-to", instrument, where, lambda q: answer_moves(q, where.words(), usd=where.usd))

    @app.get(f"{PREFIX}/{{instrument}}/zones", responses=schema.answers("zones", ZonesData, *_MAP_ERRORS), tags=["map"])
    async def zones(request: Request, instrument: Instrument, where: Annotated[ZonesQuery, Query()]) -> Response:
        """Return dense stretches, with the round prices in them."""
        return await server.answer(
            request, "zones", instrument, where, lambda q: answer_zones(q, where.words(), within=where.within, top=where.top)
        )

    @app.get(f"{PREFIX}/{{instrument}}/fuel", responses=schema.answers("fuel", FuelData, 404, 503), tags=["map"])
    async def fuel(request: Request, instrument: Instrument, where: Annotated[FuelQuery, Query()]) -> Response:
        """Return what became of the pools that stood near price at `since`: five parts that add up."""

        def make(question: Question) -> Answered[Any]:
            words = Words(window=where.window, max_age=where.max_age)
            return answer_fuel(question, words, since=where.since, within=where.within, range_=where.range)

        return await server.answer(request, "fuel", instrument, where, make)

    @app.get(f"{PREFIX}/{{instrument}}/cascade", responses=schema.answers("cascade", CascadeData, *_MAP_ERRORS), tags=["map"])
    async def cascade(request: Request, instrument: Instrument, where: Annotated[CascadeQuery, Query()]) -> Response:
        """Return what a shock does, both ways, with the map and without it."""
        return await server.answer(
            request, "cascade", instrument, where, lambda q: answer_cascade(q, where.words(), where.shape())
        )


def _add_heat(app: FastAPI, server: Server) -> None:
    @app.get(f"{PREFIX}/{{instrument}}/heatmap", responses=schema.answers("heatmap", HeatmapData, *_MAP_ERRORS), tags=["heat"])
    async def heatmap(request: Request, instrument: Instrument, where: Annotated[HeatQuery, Query()]) -> Response:
        """Return the map over time as numbers, coarse; `heat` has it as tiles."""
        return await server.answer(
            request, "heatmap", instrument, where, lambda q: answer_heatmap(q, heat_words(where), where.shape())
        )

    @app.get(f"{PREFIX}/{{instrument}}/heat", responses=schema.answers("heat", HeatData, *_MAP_ERRORS), tags=["heat"])
    async def heat(request: Request, instrument: Instrument, where: Annotated[TilesQuery, Query()]) -> Response:
        """Return the grid of a heatmap: where its tiles are, at every level, and its dollar scale."""
        return await server.answer(request, "heat", instrument, where, lambda q: answer_heat(server, q, where), kept=False)

    @app.get(
        f"{PREFIX}/heat/{{grid}}/{{level}}/{{index}}",
        responses={
            200: {"description": "a tile", "content": {"application/octet-stream": {"schema": _BINARY}}},
            **schema.failures(404),
        },
        response_class=Response,
        tags=["heat"],
    )
    async def tile(
        request: Request,
        grid: GridName,
        level: Annotated[int, Path(ge=0, le=15)],
        index: Annotated[int, Path(ge=0, le=2**31 - 1)],
        where: Annotated[Nothing, Query()],
    ) -> Response:
        """Return one tile: 32-byte header, then a byte a cell, time-major, each column as the difference from the one before."""
        try:
            body = await server.memory.quick(lambda: server.heat.body(grid, level, index))
        except (KeyError, IndexError):
            raise _no_tile(grid) from None
        return await server.sent(request, body, _BYTES, IMMUTABLE if body.whole else ASK_AGAIN)

    @app.get(
        f"{PREFIX}/heat/{{grid}}/candles",
        responses={
            200: {"description": "four planes of float32", "content": {"application/octet-stream": {"schema": _BINARY}}},
            **schema.failures(404),
        },
        response_class=Response,
        tags=["heat"],
    )
    async def candles(request: Request, grid: GridName, where: Annotated[Nothing, Query()]) -> Response:
        """Return the candles under a heatmap: open, high, low, close, one float32 a column each, NaN where unknown."""
        try:
            body = await server.memory.quick(lambda: server.heat.candle_body(grid))
        except KeyError:
            raise _no_tile(grid) from None
        return await server.sent(request, body, _BYTES, IMMUTABLE if body.whole else ASK_AGAIN)


_BYTES = "application/octet-stream"
_BINARY = {"type": "string", "format": "binary"}


def _no_tile(grid: str) -> NoData:
    return NoData(f"heat: there is no such tile of grid {grid}", hint="Ask /api/v1/{instrument}/heat for the grid as it stands.")


def heat_words(where: HeatQuery) -> Words:
    """Return the words of a heatmap; its `window` is the stretch that is shown."""
    return Words(reading=where.reading, max_age=where.max_age, require=where.require)


def answer_heat(server: Server, question: Question, where: HeatQuery) -> Answered[Grid]:
    """Answer `heat`: the grid of a heatmap."""
    grid = server.heat.grid(question, heat_words(where), where.shape())
    found = grid.found
    scale = grid.scale if where.scale is None else scale_between(*question.prices("scale", where.scale))
    caveats = question.caveats(found, "heatmap")
    return Answered(
        command="heat",
        data=describe_grid(grid, scale),
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, where.shape().flags()),
        parts=grid,
    )


def live_grid(server: Server, instrument: str) -> Grid:
    """Return the grid of the newest heatmap of an instrument, as the page shows it by default."""
    return server.heat.grid(server.question("heatmap", instrument), Words(), Shape())


def snapshot(server: Server, kind: str, instrument: str) -> Said:
    """Return what a live topic says: the very answer of its route."""
    from liqscape.server.app import Said

    if kind in machine.MAKERS:
        data = Raw(encode(machine.MAKERS[kind](server)))
        return Said(kind, data, plain_meta(), Links(), past=True, settled=False, made_s=0.0)
    question = server.question(kind, instrument)
    if kind == "now":
        return server.say((kind, instrument, repr(Built.model_validate({}))), question, lambda q: answer_now(q, Words()))
    return server.say((kind, instrument, repr(MapQuery.model_validate({}))), question, lambda q: answer_map(q, Words()))


def _add_record(app: FastAPI, server: Server) -> None:
    @app.get(f"{PREFIX}/{{instrument}}/accuracy", responses=schema.answers("accuracy", AccuracyData, 404), tags=["record"])
    async def accuracy(request: Request, instrument: Instrument, where: Annotated[Nothing, Query()]) -> Response:
        """Return how the map did out of sample: badge, verdict, scores."""
        return await server.answer(request, "accuracy", instrument, where, answer_accuracy)

    @app.get(
        f"{PREFIX}/{{instrument}}/accuracy/ledger",
        responses=schema.answers("accuracy", AccuracyData, 404),
        tags=["record"],
    )
    async def ledger(request: Request, instrument: Instrument, where: Annotated[LedgerQuery, Query()]) -> Response:
        """Walk the ledger of issued maps: whether every entry is what was written."""
        return await server.answer(
            request, "accuracy/ledger", instrument, where, lambda q: answer_accuracy(q, ledger=True, head=where.head)
        )

    @app.get(
        f"{PREFIX}/{{instrument}}/accuracy/magnet",
        responses=schema.answers("accuracy", AccuracyData, 404),
        tags=["record"],
    )
    async def magnet(request: Request, instrument: Instrument, where: Annotated[Nothing, Query()]) -> Response:
        """Return the card of the registered test of attraction, null if it was never run."""
        return await server.answer(request, "accuracy/magnet", instrument, where, lambda q: answer_accuracy(q, magnet=True))

    @app.get(
        f"{PREFIX}/{{instrument}}/liquidations", responses=schema.answers("liquidations", LiquidationsData, 404), tags=["record"]
    )
    async def liquidations(request: Request, instrument: Instrument, where: Annotated[LiquidationsQuery, Query()]) -> Response:
        """Return forced orders as they were published, with what a throttled feed hid where that can be estimated."""

        def make(question: Question) -> Answered[Any]:
            return answer_liquidations(question, window=where.window, side=where.side, top=where.top)

        return await server.answer(request, "liquidations", instrument, where, make)

    @app.get(f"{PREFIX}/{{instrument}}/episodes", responses=schema.answers("episodes", EpisodesData, 404), tags=["record"])
    async def episodes(request: Request, instrument: Instrument, where: Annotated[EpisodesQuery, Query()]) -> Response:
        """Return every lopsided day and what followed it, failures first."""

        def make(question: Question) -> Answered[Any]:
            return answer_episodes(question, within=where.within, ratio=where.ratio, top=where.top)

        return await server.answer(request, "episodes", instrument, where, make)
