"""OpenAPI from the very types that are sent: every route with its answer, its errors, its words."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from liqscape._version import __version__
from liqscape.api.envelope import ErrorEnvelope, Links, Meta

_REF = "#/components/schemas/{name}"
STATUSES = {
    401: "a token is needed",
    403: "this server only reads",
    404: "nothing stored answers",
    412: "the record is below `require`",
    422: "a word makes no sense",
    429: "too many requests of this address",
    500: "unexpected",
    503: "not ready, or older than `max_age`",
}
_KINDS: dict[str, type] = {}


def envelope_of(command: str, data: Any) -> type:
    """Return the type of a command's success envelope, with its own `data` and `schema`."""
    name = "".join(part.capitalize() for part in command.replace("/", "-").split("-")) + "Answer"
    kind = msgspec.defstruct(
        name,
        [
            ("ok", Literal[True]),
            ("schema", Literal[f"liqscape/{command}/1"]),  # type: ignore[valid-type]
            ("data", data),
            ("meta", Meta),
            ("links", Links),
        ],
        kw_only=True,
    )
    _KINDS[name] = kind
    return kind


def answers(command: str, data: Any, *errors: int, description: str = "the answer") -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route: its envelope, and the errors it may give beside those every route may."""
    kind = envelope_of(command, data)
    found: dict[int | str, dict[str, Any]] = {200: {"description": description, "content": _json(kind.__name__)}}
    return found | failures(*errors)


def failures(*errors: int) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of a route."""
    every = sorted({401, 403, 422, 429, 500, *errors})
    found: dict[int | str, dict[str, Any]] = {304: {"description": "unchanged since `If-None-Match`"}}
    return found | {status: {"description": STATUSES[status], "content": _json("ErrorEnvelope")} for status in every}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an app."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = get_openapi(
        title="liqscape",
        version=__version__,
        description=(
            "The liquidation landscape of a perpetual-futures market: where leveraged positions would be force-closed, in "
            "dollars and with uncertainty. Potential, not a forecast. Every answer has the same envelope; `data` is what the "
            "shell prints with --json. Unknown is null, zero was measured; times are UTC."
        ),
        routes=app.routes,
    )
    _, components = msgspec.json.schema_components([*_KINDS.values(), ErrorEnvelope], ref_template=_REF)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas.update({name: _loose(schema) for name, schema in components.items()})
    app.openapi_schema = document
    return document


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}


def _loose(schema: Any) -> Any:
    """Numbers may be null: NaN, which is unknown, is sent so."""
    if isinstance(schema, dict):
        held = cast("dict[str, Any]", schema)
        loose = {key: _loose(value) for key, value in held.items()}
        if loose.get("type") == "number":
            loose["type"] = ["number", "null"]
        return loose
    return [_loose(value) for value in cast("list[Any]", schema)] if isinstance(schema, list) else schema
