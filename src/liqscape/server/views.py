"""The address of a view as data: `/BTC.json`, `.csv`, `.parquet` and `.png` of the map that the page shows at `/BTC`."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from liqscape.api.answers.data import MapData
from liqscape.api.answers.maps import LadderParts, answer_map
from liqscape.api.pictures import plot
from liqscape.api.question import Answered, Question
from liqscape.clock import now_ns
from liqscape.plot import png
from liqscape.server import schema
from liqscape.server.bodies import ASK_AGAIN, PAST, Body
from liqscape.server.words import Instrument, MapQuery, ViewQuery

if TYPE_CHECKING:
    from liqscape.server.app import Server

Said = Answered[LadderParts]
UNITS = {
    "price": "quote per base, middle of a bucket of 0.1 % of the mark",
    "distance": "(price - mark) / mark",
    "long_usd": "USD at the level of long positions that would be force-closed there",
    "short_usd": "USD at the level of short positions that would be force-closed there",
    "long_base": "the same longs in base coins",
    "short_base": "the same shorts in base coins",
    "prior_usd": "of both, USD that are assumption and not data",
    "measured_usd": "of both, USD of accounts that a chain shows",
}
_CSV, _PNG, _PARQUET = "text/csv; charset=utf-8", "image/png", "application/vnd.apache.parquet"
_SMALLEST_PICTURE = 0.005  # a picture of less holds fewer than five buckets a side
_ERRORS = (404, 412, 503)
_Words = Annotated[ViewQuery, Query()]


def add(app: FastAPI, server: Server) -> None:
    """Serve each form of a view's address."""

    @app.get("/{instrument}.json", responses=schema.answers("map", MapData, *_ERRORS), tags=["view"])
    async def as_json(request: Request, instrument: Instrument, where: _Words) -> Response:
        """Return the map of a view: the very answer of `/api/v1/{instrument}/map`."""
        asked = where.of_map()
        return await server.answer(request, "map", instrument, asked, lambda question: _answer(question, asked))

    @app.get("/{instrument}.csv", responses=_bytes("text/csv"), response_class=Response, tags=["view"])
    async def as_csv(request: Request, instrument: Instrument, where: _Words) -> Response:
        """Return the levels of a view as CSV; its first lines are comments with source, units and caveats."""
        return await _sent(server, request, instrument, where, "csv", _CSV, csv_of)

    @app.get("/{instrument}.parquet", responses=_bytes(_PARQUET), response_class=Response, tags=["view"])
    async def as_parquet(request: Request, instrument: Instrument, where: _Words) -> Response:
        """Return the levels of a view as Parquet; source, units and caveats are its metadata."""
        return await _sent(server, request, instrument, where, "parquet", _PARQUET, parquet_of)

    @app.get("/{instrument}.png", responses=_bytes(_PNG), response_class=Response, tags=["view"])
    async def as_png(request: Request, instrument: Instrument, where: _Words) -> Response:
        """Return the picture of a view that `liqscape map --out` writes: 1600 x 900, source and caveats inside."""
        return await _sent(server, request, instrument, where, "png", _PNG, png_of)


def csv_of(question: Question, said: Said, where: MapQuery) -> bytes:
    """Return the levels of a map under comments that say what they are."""
    head = "".join(f"# {line}\n" for line in facts(said).values())
    return (head + _levels(said, question, where).write_csv()).encode()


def parquet_of(question: Question, said: Said, where: MapQuery) -> bytes:
    """Return the levels of a map as Parquet."""
    held = io.BytesIO()
    _levels(said, question, where).write_parquet(held, metadata=facts(said))
    return held.getvalue()


def png_of(question: Question, said: Said, where: MapQuery) -> bytes:
    """Return the picture of a map."""
    found = said.parts.found
    return png(plot(found, within=max(said.parts.reach, _SMALLEST_PICTURE), badge=question.badge(found)))


def facts(said: Said) -> dict[str, str]:
    """Return what a table of levels must not be read without, by name, a line each."""
    meta = said.meta
    badge = meta.accuracy
    at = f"as of {meta.as_of}, {meta.price_kind} {meta.mark_price}"
    told = {
        "what": f"liqscape map of {meta.instrument} {at}; dollars as {meta.reading}",
        "source": f"source: {', '.join(meta.instruments)}; {'recorded live' if meta.recorded else 'rebuilt from stored rows'}",
        "record": f"record of the map: {badge.text}",
        "inputs": f"inputs {meta.inputs_hash}",
    }
    if meta.window is not None:
        told["window"] = f"state built from {meta.window.from_} to {meta.window.to}, {meta.window.missing_bars} bars missing"
    if meta.filters:
        told["filters"] = "FILTERED: " + ", ".join(f"{name} {value}" for name, value in meta.filters.items())
    told |= {f"unit_{name}": f"{name}: {unit}" for name, unit in UNITS.items()}
    told |= {f"caveat_{code}": f"{code}: {text}" for code, text in meta.caveat_texts.items()}
    return told | {"reproduce": f"reproduce: {said.links.reproduce}", "method": f"method: {said.links.method}"}


def _answer(question: Question, where: MapQuery) -> Said:
    return answer_map(question, where.words(), within=where.within, step=where.step, range_=where.range)


def _levels(said: Said, question: Question, where: MapQuery) -> pl.DataFrame:
    """Return the levels that were asked for, from the lowest price to the highest."""
    assert said.table is not None  # a map has one
    table = said.table()
    if where.within is not None:
        table = table.filter(pl.col("distance").abs() <= said.parts.reach)
    if where.range is not None:
        low, high = sorted(question.prices("range", where.range))
        table = table.filter(pl.col("price").is_between(low, high))
    return table


async def _sent(
    server: Server,
    request: Request,
    instrument: str,
    where: ViewQuery,
    form: str,
    kind: str,
    make: Callable[[Question, Said, MapQuery], bytes],
) -> Response:
    asked = where.of_map()

    def job() -> Body:
        question = server.question("map", instrument, asked.as_of, asked.venue)
        with server.meters.time("map"):
            content = make(question, _answer(question, asked), asked)
        return Body.of(content, whole=question.as_of_ns is not None and question.as_of_ns < now_ns() - _settled_ns())

    body = await server.memory.answer((form, instrument, repr(asked)), job)
    answer = await server.sent(request, body, kind, PAST if body.whole else ASK_AGAIN)
    answer.headers["content-disposition"] = f'inline; filename="liqscape-{instrument.replace(":", "-")}.{form}"'
    return answer


def _settled_ns() -> int:
    from liqscape.server.app import SETTLED_NS

    return SETTLED_NS


def _bytes(kind: str) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": "the view in this form", "content": content}, **schema.failures(*_ERRORS)}
