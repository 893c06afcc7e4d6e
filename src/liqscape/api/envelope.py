"""The one shape of every answer in JSON, and the one shape of every error.

`{"ok": true, "schema": "liqscape/<command>/1", "data": ..., "meta": ..., "links": ...}`: keys and their order never depend on
the command or on what is known; what is unknown is null. JSON knows no NaN, so none is ever written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from msgspec import Struct, field

from liqscape._version import __version__
from liqscape.analytics.caveats import Caveat
from liqscape.clock import iso, now_ns
from liqscape.engine.verdict import Badge
from liqscape.errors import LiqscapeError
from liqscape.model.instruments import describe
from liqscape.model.maps import Heatmap, Inputs, LeftOut, LiquidationMap
from liqscape.model.sides import Completeness
from liqscape.units import NS_PER_HOUR, NS_PER_S

_METHODS = "/method"  # pages of `liqscape serve`; their text is docs/methods/*.md
_LATE_BARS = 2  # stale after twice the cadence, as the caveat STALE
_LATE_OPEN_INTEREST_NS = NS_PER_HOUR


class Window(Struct, kw_only=True):
    """Stretch of stored bars that built the state."""

    from_: str = field(name="from")
    to: str
    bars: int
    missing_bars: int


class Weights(Struct, kw_only=True):
    """Where the weights of the model come from: `learned` from this instrument, or `shipped` with the package."""

    source: str
    instrument: str
    from_: str | None = field(name="from")
    to: str | None
    hours: int
    score: str | None


class Level(Struct, kw_only=True):
    """Published over predicted dollars, learned slowly and fast; 1 is as in the training window."""

    fast: float
    slow: float


class Model(Struct, kw_only=True):
    """What made the numbers."""

    name: str
    version: str
    weights: Weights | None
    level: Level | None
    outcome: str | None
    outcome_text: str | None


class Part(Struct, kw_only=True):
    """One instrument of a joined map; `share` is of the map's open interest, `age_s` that of its newest bar.

    `measured_share` is how much of its own open interest is known position by position, of so many `accounts`.
    """

    instrument: str
    quote: str | None
    contract: str
    open_interest_usd: float | None
    share: float | None
    age_s: float
    feeds: list[str]
    completeness: str
    measured_share: float = 0.0
    accounts: int | None = None


class Coverage(Struct, kw_only=True):
    """How much of the market is behind the numbers; `open_interest_share` is of all venues, null while that is not known.

    Quotes in USDT, USDC and USD are taken as dollars.
    """

    open_interest_share: float | None
    measured_share: float
    venues: list[str]
    completeness: str | None
    parts: list[Part] = []


class Late(Struct, kw_only=True):
    """An input that is older than it should be; one that is not in the map for it has `left_out` and its reason."""

    input: str
    instrument: str
    at: str | None
    age_s: float | None
    left_out: bool = False
    reason: str | None = None


class Meta(Struct, kw_only=True):
    """What a reader must know beside the data; every command gives every key."""

    instrument: str | None = None
    instruments: list[str] = []
    venues: list[str] = []
    as_of: str | None = None
    computed_at: str
    age_s: float | None = None
    mark_price: float | None = None
    price_kind: str | None = None
    reading: str | None = None
    reported_share: tuple[float, float, float] | None = None
    window: Window | None = None
    filters: dict[str, str] = {}
    recorded: bool | None = None
    simulated: bool | None = None
    model: Model | None = None
    inputs_hash: str | None = None
    coverage: Coverage | None = None
    survivor_share: dict[str, float] | None = None
    accuracy: Badge = msgspec.field(default_factory=Badge)
    stale: list[Late] = []
    caveats: list[str] = []
    caveat_texts: dict[str, str] = {}


class Links(Struct, kw_only=True):
    """Where to go from here: `csv` and `reproduce` are commands, `page` and `method` are addresses of `liqscape serve`."""

    page: str | None = None
    csv: str | None = None
    method: str | None = None
    reproduce: str | None = None


class Envelope(Struct, kw_only=True):
    """An answer."""

    ok: bool
    schema: str
    data: Any
    meta: Meta
    links: Links


class ErrorFacts(Struct, kw_only=True):
    """What went wrong, and what to do next."""

    code: str
    message: str
    hint: str | None
    context: dict[str, Any]
    retry_after_s: float | None


class ErrorEnvelope(Struct, kw_only=True):
    """An answer that could not be given."""

    ok: bool
    error: ErrorFacts


def method_of(command: str) -> str:
    """Return the address of the page that says how the numbers of a command are made.

    Examples
    --------
    >>> method_of("accuracy/ledger"), method_of("heat")
    ('/method/accuracy', '/method/heatmap')
    """
    feature = command.partition("/")[0]
    return f"{_METHODS}/{'heatmap' if feature == 'heat' else feature}"


def envelope(command: str, data: Any, meta: Meta, links: Links | None = None) -> Envelope:
    """Return the envelope of a command's data.

    Parameters
    ----------
    command
        Name as at the doors: `map`, `move-to`.
    data
        Structs, dictionaries, lists, arrays and numbers; NaN becomes null.
    """
    return Envelope(ok=True, schema=f"liqscape/{command}/1", data=data, meta=meta, links=links or Links())


def error_envelope(error: LiqscapeError) -> ErrorEnvelope:
    """Return the error shape of an error of the tree."""
    facts = ErrorFacts(code=error.code, message=error.message, hint=error.hint, context=error.context, retry_after_s=None)
    return ErrorEnvelope(ok=False, error=facts)


def encode(answer: Envelope | ErrorEnvelope, *, indent: int = 0) -> bytes:
    """Write an answer as JSON; `indent` > 0 breaks lines for people."""
    encoded = msgspec.json.encode(answer, enc_hook=_plain)
    return msgspec.json.format(encoded, indent=indent) if indent else encoded


def meta_of(
    reading_of: LiquidationMap | Heatmap,
    caveats: Sequence[Caveat] = (),
    *,
    badge: Badge | None = None,
    seen_from_ns: int | None = None,
) -> Meta:
    """Return the meta of a map or heatmap.

    Parameters
    ----------
    caveats
        Those of the reading that is shown.
    badge
        The out-of-sample record of its instruments; None: there is none.
    seen_from_ns
        The instant from which ages count, ns UTC; default: `as_of`. A caller who asked for the newest map counts from now.
    """
    inputs = reading_of.inputs
    seen_from = reading_of.as_of_ns if seen_from_ns is None else seen_from_ns
    of_map = reading_of if isinstance(reading_of, LiquidationMap) else None
    outcome = None if of_map is None else of_map.outcome
    return Meta(
        instrument=reading_of.asked,
        instruments=[str(each.instrument) for each in inputs],
        venues=sorted({each.instrument.venue for each in inputs}),
        as_of=iso(reading_of.as_of_ns),
        computed_at=iso(reading_of.computed_at_ns),
        age_s=age_s(inputs, seen_from),
        mark_price=_mark_price(reading_of),
        price_kind=str(reading_of.price_kind),
        reading=str(reading_of.reading),
        reported_share=None if of_map is None else of_map.reported_share,
        window=window_of(inputs),
        filters=dict(reading_of.filters),
        recorded=all(each.recorded for each in inputs),
        simulated=reading_of.simulated,
        model=_model(reading_of.model, inputs, outcome, None if outcome is None else outcome.sentence),
        inputs_hash="+".join(each.sha256 for each in inputs),
        coverage=Coverage(
            open_interest_share=None,
            measured_share=0.0 if of_map is None else of_map.balance.measured_share,
            venues=feeds_of(inputs),
            completeness=str(completeness_of(inputs)),
            parts=parts_of(inputs, seen_from),
        ),
        survivor_share=None if of_map is None else of_map.survivor_share,
        accuracy=badge or Badge(),
        stale=[*late_inputs(inputs, seen_from), *_late_looks(inputs), *_left_out(reading_of.left_out, seen_from)],
        **_caveats(caveats),
    )


def plain_meta(
    *,
    instruments: Sequence[object] = (),
    asked: str | None = None,
    as_of_ns: int | None = None,
    simulated: bool | None = None,
    caveats: Sequence[Caveat] = (),
    **facts: Any,
) -> Meta:
    """Return the meta of a command that shows no map; what does not apply is null."""
    return Meta(
        instrument=asked,
        instruments=[str(each) for each in instruments],
        as_of=None if as_of_ns is None else iso(as_of_ns),
        computed_at=iso(now_ns()),
        simulated=simulated,
        **_caveats(caveats),
        **facts,
    )


def age_s(inputs: Sequence[Inputs], seen_from_ns: int) -> float | None:
    """Age of the newest bar in seconds, of several instruments that of the oldest; None without inputs."""
    return max(((seen_from_ns - each.last_bar_end_ns) / NS_PER_S for each in inputs), default=None)


def late_inputs(inputs: Sequence[Inputs], seen_from_ns: int) -> list[Late]:
    """Return the inputs that are older than twice their cadence (bars) or than an hour (open interest)."""
    late: list[Late] = []
    for each in inputs:
        stamps = (
            ("bars", each.last_bar_end_ns, _LATE_BARS * each.bar_interval_ns),
            ("open_interest", each.last_open_interest_ns, _LATE_OPEN_INTEREST_NS),
        )
        for name, at, allowed in stamps:
            if at is not None and seen_from_ns - at > allowed:
                age = (seen_from_ns - at) / NS_PER_S
                late.append(Late(input=name, instrument=str(each.instrument), at=iso(at), age_s=age))
    return late


def parts_of(inputs: Sequence[Inputs], seen_from_ns: int) -> list[Part]:
    """Return what each instrument of a map brings to it, in the map's order."""
    known = [each.open_interest_usd for each in inputs if each.open_interest_usd is not None]
    total = sum(known) if len(known) == len(inputs) else 0.0
    parts: list[Part] = []
    for each in inputs:
        traded, usd, known = describe(each.instrument), each.open_interest_usd, each.measured
        parts.append(
            Part(
                instrument=str(each.instrument),
                quote=traded.quote,
                contract=str(traded.kind),
                open_interest_usd=usd,
                share=usd / total if usd is not None and total > 0.0 else None,
                age_s=(seen_from_ns - each.last_bar_end_ns) / NS_PER_S,
                feeds=sorted(each.venues),
                completeness=str(each.completeness),
                measured_share=0.0 if known is None else 0.5 * (known.long_share + known.short_share),
                accounts=None if known is None else known.accounts,
            )
        )
    return parts


def _late_looks(inputs: Sequence[Inputs]) -> list[Late]:
    """Return one entry for each instrument some of whose followed accounts were looked at too long ago."""
    return [
        Late(
            input="positions",
            instrument=str(each.instrument),
            at=None,
            age_s=None,
            left_out=True,
            reason=f"the last look at {each.measured.stale} accounts is too old: their positions are modelled again",
        )
        for each in inputs
        if each.measured is not None and each.measured.stale
    ]


def _left_out(left_out: Sequence[LeftOut], seen_from_ns: int) -> list[Late]:
    return [
        Late(
            input="bars",
            instrument=str(one.instrument),
            at=None if one.last_bar_end_ns is None else iso(one.last_bar_end_ns),
            age_s=None if one.last_bar_end_ns is None else (seen_from_ns - one.last_bar_end_ns) / NS_PER_S,
            left_out=True,
            reason=one.reason,
        )
        for one in left_out
    ]


def window_of(inputs: Sequence[Inputs]) -> Window | None:
    """Return the stretch of bars behind all inputs; counts are summed."""
    if not inputs:
        return None
    return Window(
        from_=iso(min(each.window_from_ns for each in inputs)),
        to=iso(max(each.window_to_ns for each in inputs)),
        bars=sum(each.bars for each in inputs),
        missing_bars=sum(each.missing_bars for each in inputs),
    )


def feeds_of(inputs: Sequence[Inputs]) -> list[str]:
    """Return whose published liquidations the weights were fitted to, sorted."""
    return sorted({venue for each in inputs for venue in each.venues})


def completeness_of(inputs: Sequence[Inputs]) -> Completeness:
    """Return ALL only if every feed shows everything, THROTTLED if one is known not to."""
    found = {each.completeness for each in inputs}
    if found == {Completeness.ALL}:
        return Completeness.ALL
    return Completeness.THROTTLED if Completeness.THROTTLED in found else Completeness.UNKNOWN


def _caveats(caveats: Sequence[Caveat]) -> dict[str, Any]:
    return {"caveats": [each.code for each in caveats], "caveat_texts": {each.code: each.text for each in caveats}}


def _model(name: str, inputs: Sequence[Inputs], outcome: str | None, text: str | None) -> Model:
    """Describe the model; of several instruments the weights and levels of the first are named."""
    weights = level = None
    if inputs:
        origin = inputs[0].weights
        weights = Weights(
            source=origin.source,
            instrument=origin.instrument,
            from_=None if origin.from_ns is None else iso(origin.from_ns),
            to=None if origin.to_ns is None else iso(origin.to_ns),
            hours=origin.hours,
            score=origin.score,
        )
        level = Level(fast=inputs[0].level_fast, slow=inputs[0].level_slow)
    return Model(
        name=name,
        version=__version__,
        weights=weights,
        level=level,
        outcome=None if outcome is None else str(outcome),
        outcome_text=text,
    )


def _mark_price(reading_of: LiquidationMap | Heatmap) -> float | None:
    if isinstance(reading_of, LiquidationMap):
        return reading_of.mark_price
    known = reading_of.close[np.isfinite(reading_of.close)]
    return float(known[-1]) if known.size else None


def _plain(value: Any) -> object:
    """Turn what msgspec does not know into what it does."""
    if isinstance(value, np.ndarray | np.generic):
        return cast("object", value.tolist())
    return value.as_posix() if isinstance(value, Path) else str(value)
