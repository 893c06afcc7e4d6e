"""Damaged payloads over every parser, session and judge: a record that can be true, or a clear error; never anything else.

The seed is fixed, so that a failure repeats; `LIQSCAPE_FUZZ_SEED` takes another. `make fuzz` runs the long form.
"""

from __future__ import annotations

import gzip
import math
import os
import random
import time

import pytest
from damage import restructured, squeezed
from msgspec import Struct
from test_conformance import ALL, KEYS, damaged
from venue_case import RECV_NS, VenueCases

from liqscape.errors import CorruptRecord
from liqscape.model import InstrumentId
from liqscape.venues.base import Answer, Ask, Received
from liqscape.venues.wire import Parsed

SHORT, LONG = 50_000, 1_000_000
SEED = int(os.environ.get("LIQSCAPE_FUZZ_SEED", "20261122"))
_INSTANTS = range(1_230_768_000_000_000_000, 4_102_444_800_000_000_001)
# Numbers that are above zero in every record that has them; the others need only be finite.
_POSITIVE = {
    *("price", "open", "high", "low", "close", "mark_price", "index_price", "contract_size", "tick_size", "max_leverage"),
    *("maintenance_margin_rate", "funding_interval_ns", "interval_ns", "known_to"),
}
_NOT_NEGATIVE = {"volume_base", "taker_buy_base", "open_interest_base", "volume_24h_usd", "long_share", "floor"}
# Positions carry their side as a sign.
_SIGNED = {"AccountState"}
# Where a quantity of zero is a level that went.
_BOOKS = {"Book"}


def test_the_check_sees_what_it_looks_for():
    case = next(case for one in ALL for case in one.cases if type(case.expected[0] if case.expected else None).__name__ == "Bar")
    bar = case.expected[0]
    assert lies(bar) == []
    fields = {name: getattr(bar, name) for name in bar.__struct_fields__}
    for name, value in (("low", -1.0), ("high", math.inf), ("volume_base", math.nan), ("ts_venue", 5), ("close", 0.0)):
        assert lies(type(bar)(**{**fields, name: value})) == [name]  # type: ignore[call-arg]


@pytest.mark.parametrize("one", ALL, ids=KEYS)
def test_damaged_payloads(one: VenueCases):
    fuzz(one, math.ceil(SHORT / len(ALL)), SEED)


@pytest.mark.long
@pytest.mark.parametrize("one", ALL, ids=KEYS)
def test_a_million_damaged_payloads(one: VenueCases, capsys: pytest.CaptureFixture[str]):
    started = time.perf_counter()
    tally = fuzz(one, math.ceil(LONG / len(ALL)), SEED + 1)
    told = ", ".join(f"{count:,} {what}" for what, count in tally.items())
    with capsys.disabled():
        print(f"\n{one.venue.facts.key}: {told}; seed {SEED + 1}, {time.perf_counter() - started:.0f} s")


def fuzz(one: VenueCases, payloads: int, seed: int) -> dict[str, int]:
    """Damage the adapter's cases in turn and read them by every way in; count payloads, and what came of them."""
    key = one.venue.facts.key
    sessions = [stream.session() for stream in one.venue.streams(one.specs)]
    mores = [ask.more for ask in one.venue.ask_instruments() if ask.more is not None]
    tally = dict.fromkeys(("payloads", "records", "corrupt rows", "corrupt payloads"), 0)
    chances = {case.name: random.Random(f"{seed} {key} {case.name}") for case in one.cases}
    for number in range(payloads):
        case = one.cases[number % len(one.cases)]
        chance, body = chances[case.name], case.text.encode()
        body = damaged(body, chance) if chance.random() < 0.4 else restructured(body, chance)
        tally["payloads"] += 1
        try:
            tell(tally, case.read, body)
            for session in sessions:
                frame = body if chance.random() < 0.5 else body.decode(errors="replace")
                tell(tally, lambda _, session=session, frame=frame: heard(session.receive(frame, RECV_NS)), body)
                if chance.random() < 0.4:
                    packed = squeezed(body, chance) if chance.random() < 0.5 else gzip.compress(body, 1, mtime=0)
                    tell(tally, lambda packed, session=session: heard(session.receive(packed, RECV_NS)), packed)
            tell(tally, lambda body: judged(one, body), body)
            for more in mores:
                tell(tally, lambda body, more=more: followed(more(body)), body)
        except Exception as error:
            shown = body if len(body) < 2_000 else body[:1_000] + b" ... " + body[-500:]
            raise AssertionError(f"{key}, {case.name!r}, seed {seed}, payload {number}: {error!r} of {shown!r}") from error
    return tally


def tell(tally: dict[str, int], read: object, body: bytes) -> None:
    """Read a payload; what comes must be true or say what is wrong."""
    try:
        found: Parsed = read(body)  # type: ignore[operator]
    except CorruptRecord as error:
        clear(error)
        tally["corrupt payloads"] += 1
        return
    for record in found:
        if isinstance(record, CorruptRecord):
            clear(record)
            tally["corrupt rows"] += 1
        else:
            assert lies(record) == [], record
            tally["records"] += 1


def heard(received: Received) -> Parsed:
    """Return the records of what a session made of a frame, which may reply or refuse in words only."""
    assert received.reply is None or isinstance(received.reply, (str, bytes))
    assert received.refused is None or isinstance(received.refused, str)
    return received.records


def followed(ask: Ask | None) -> Parsed:
    """A page behind this one is an ask, or there is none."""
    assert ask is None or ask.request.path.startswith("/")
    return []


def judged(one: VenueCases, body: bytes) -> Parsed:
    """Judge an answer."""
    assert isinstance(one.venue.judge(200, {}, body).answer, Answer)
    return []


def clear(error: CorruptRecord) -> None:
    """An error names venue, field and value."""
    assert {"venue", "field", "value"} <= set(error.context), error
    assert error.message
    str(error).encode()


def lies(record: object) -> list[str]:
    """Return the fields of a record whose numbers cannot be true."""
    found: list[str] = []
    loose, signed = type(record).__name__ in _BOOKS, type(record).__name__ in _SIGNED

    def look(name: str, value: object) -> None:
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, (int, float)):
            if (
                not math.isfinite(value)
                or (name in _POSITIVE and value <= 0)
                or (name in _NOT_NEGATIVE and value < 0)
                or (name == "quantity_base" and value <= 0 and not signed)
                or (name.startswith("ts_") and value not in _INSTANTS)
            ):
                found.append(name)
        elif isinstance(value, str):
            value.encode()
        elif isinstance(value, InstrumentId):
            InstrumentId.parse(str(value))
        elif isinstance(value, Struct):
            for field in value.__struct_fields__:
                look(field, getattr(value, field))
        elif isinstance(value, (list, tuple)):
            for each in value:
                if loose and isinstance(each, tuple):
                    look("price", each[0])
                    look("floor", each[1])
                else:
                    look(name, each)

    look("", record)
    return found
