"""What may go wrong between a venue and us, as a script: a fault has a time, a venue, a connection, and is logged as it acts.

A script is data. The same script, world and client give the same run on a virtual clock.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import gcd
from typing import Any, cast

import msgspec

from liqscape.testing.exchange.dialect import Frame, Refusal, dumps
from liqscape.units import NS_PER_S


class FaultKind(StrEnum):
    """What goes wrong. The first ones befall frames, the next ones sockets, the last ones requests or the whole venue."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DELAY = "delay"
    TRUNCATE = "truncate"
    MALFORMED = "malformed"
    UNKNOWN_FIELDS = "unknown fields"
    DRIFT = "schema drift"
    SILENT = "silent socket"
    HALF_OPEN = "half-open socket"
    CUT = "connection cut"
    WRONG_PATH = "wrong path"
    REFUSED = "refused connects"
    LIMITED = "rate limit"
    BANNED = "ban"
    NO_ANSWER = "no answer"
    SPOILT_ANSWER = "spoilt answer"
    DRIFTED_ANSWER = "drifted answer"
    MAINTENANCE = "maintenance"
    CLOCK_JUMP = "clock jump"


OF_FRAMES = (
    FaultKind.DROP,
    FaultKind.DUPLICATE,
    FaultKind.REORDER,
    FaultKind.DELAY,
    FaultKind.TRUNCATE,
    FaultKind.MALFORMED,
    FaultKind.UNKNOWN_FIELDS,
    FaultKind.DRIFT,
)
OF_SOCKETS = (FaultKind.SILENT, FaultKind.HALF_OPEN, FaultKind.CUT, FaultKind.WRONG_PATH, FaultKind.REFUSED)
OF_REQUESTS = (
    FaultKind.LIMITED,
    FaultKind.BANNED,
    FaultKind.NO_ANSWER,
    FaultKind.SPOILT_ANSWER,
    FaultKind.DRIFTED_ANSWER,
    FaultKind.MAINTENANCE,
)
REFUSALS = {
    FaultKind.LIMITED: Refusal.LIMITED,
    FaultKind.BANNED: Refusal.BANNED,
    FaultKind.MAINTENANCE: Refusal.MAINTENANCE,
}


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Parameters
    ----------
    kind
        What.
    key
        Dialect that it befalls.
    at_ns
        When it begins, ns UTC of the exchange's clock.
    lasts_s
        How long connects, requests or paths stay spoilt; how late a delayed frame is; unused by the others.
    connection
        Which of the connections that are open then, counted from the oldest (modulo their number); None: all of them.
    count
        How many frames of the connection, or answers of the venue, it befalls. What befalls answers, connects and paths ends
        by count or by time, whichever is first; 0: by time alone.
    path
        Only connections or requests whose path contains it.
    jump_s
        By how much our clock jumps, for CLOCK_JUMP.
    """

    kind: FaultKind
    key: str
    at_ns: int
    lasts_s: float = 0.0
    connection: int | None = 0
    count: int = 1
    path: str = ""
    jump_s: float = 0.0

    @property
    def end_ns(self) -> int:
        """When it is over by time."""
        return self.at_ns + round(self.lasts_s * NS_PER_S)


@dataclass(frozen=True)
class Deed:
    """That a fault acted: which one (its number in the script), when, on which connection (None: a request) and on what."""

    fault: int
    kind: FaultKind
    key: str
    ts_ns: int
    connection: int | None
    what: str


def spoilt(frame: Frame, kind: FaultKind, chance: random.Random) -> Frame:
    """Return a frame or body as the fault leaves it: cut, garbage, with unknown fields, or with a field that drifted.

    Frames that are no JSON (a bare pong) are left alone by the last two.
    """
    if kind is FaultKind.TRUNCATE:
        return frame[: chance.randrange(len(frame))] if len(frame) > 1 else frame[:0]
    if kind is FaultKind.MALFORMED:
        rubbish = chance.choice(('{"data":[', "<html>502 Bad Gateway</html>", "\x00\x01null,", '{"a":1}}', "[" * 40))
        return rubbish if isinstance(frame, str) else rubbish.encode()
    if kind is FaultKind.UNKNOWN_FIELDS:
        return _rewritten(frame, lambda value: _enriched(value, chance))
    if kind is FaultKind.DRIFT:
        return _rewritten(frame, lambda value: _drifted(value, chance))
    return frame


def _rewritten(frame: Frame, change: Callable[[Any], Any]) -> Frame:
    packed = isinstance(frame, bytes) and frame[:2] == b"\x1f\x8b"
    try:
        value: Any = msgspec.json.decode(gzip.decompress(cast("bytes", frame)) if packed else frame)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return frame
    text = dumps(change(value))
    if packed:
        return gzip.compress(text.encode(), mtime=0)
    return text if isinstance(frame, str) else text.encode()


def _enriched(value: Any, chance: random.Random) -> Any:
    """Return JSON in which every object has new fields."""
    if isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        fields = {name: _enriched(inner, chance) for name, inner in known.items()}
        return {"aNewField": {"since": [1, "2"]}, **fields, "x_note": chance.choice(("", None, -1, "soon"))}
    if isinstance(value, list):
        return [_enriched(inner, chance) for inner in cast("list[Any]", value)]
    return value


def _drifted(value: Any, chance: random.Random) -> Any:
    """Return JSON in which one leaf became an object, or one field has a new name."""
    leaves: list[tuple[Any, Any]] = []
    _collect(value, leaves)
    if not leaves:
        return value
    holder, place = chance.choice(leaves)
    if isinstance(holder, dict) and chance.random() < 0.5:
        holder[f"{place}V2"] = holder.pop(place)
    else:
        holder[place] = {"value": holder[place]}
    return value


def _collect(value: Any, leaves: list[tuple[Any, Any]]) -> None:
    """Add (holder, place) of every scalar."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(cast("dict[Any, Any]", value).items())
    elif isinstance(value, list):
        pairs = list(enumerate(cast("list[Any]", value)))
    for place, inner in pairs:
        if isinstance(inner, dict | list):
            _collect(inner, leaves)
        else:
            leaves.append((cast("Any", value), place))


def script(
    keys: Sequence[str],
    count: int,
    *,
    start_ns: int,
    every_s: float = 150.0,
    seed: int = 1,
    kinds: Sequence[FaultKind] = tuple(FaultKind),
    without_sockets: Collection[str] = (),
) -> list[Fault]:
    """Return `count` seeded faults, in turn over all dialects and all kinds.

    Faults of one venue follow each other by `every_s`, so that the one before is overcome; different venues fail at once. A
    frame that is lost without a trace is lost on ONE connection: what was lost on all of them at once, nobody can know.

    Parameters
    ----------
    keys
        The dialects that fail.
    start_ns
        When the first faults begin.
    every_s
        Seconds between two faults of one venue; longer than it takes to recover.
    without_sockets
        Dialects that nobody connects to: only their answers fail.
    """
    chance = random.Random(seed)
    found: list[Fault] = []
    turns = list(range(len(kinds)))
    chance.shuffle(turns)
    # The faults of all venues go through the kinds one after the other; a venue's own do so too if their step shares no factor.
    shift = next(k for k in range(len(kinds)) if gcd(len(keys) + k, len(kinds)) == 1)
    for number in range(count):
        round_, place = divmod(number, len(keys))  # one fault of each venue in every round
        kind = kinds[turns[(number + shift * round_) % len(kinds)]]
        if keys[place] in without_sockets and kind not in OF_REQUESTS:
            kind = OF_REQUESTS[round_ % len(OF_REQUESTS)]
        at = start_ns + round((round_ * every_s + chance.uniform(0.0, 0.2 * every_s)) * NS_PER_S)
        found.append(_fault(kind, keys[place], at, chance))
    return found


def _fault(kind: FaultKind, key: str, at_ns: int, chance: random.Random) -> Fault:
    one = chance.randrange(16)
    if kind in OF_FRAMES:
        late = chance.uniform(0.5, 20.0) if kind is FaultKind.DELAY else 0.0
        return Fault(kind, key, at_ns, late, one, chance.randint(1, 12))
    if kind in (FaultKind.SILENT, FaultKind.HALF_OPEN, FaultKind.CUT):
        return Fault(kind, key, at_ns, 0.0, None if chance.random() < 0.4 else one)
    if kind in (FaultKind.WRONG_PATH, FaultKind.REFUSED):
        return Fault(kind, key, at_ns, chance.uniform(1.0, 30.0), None if chance.random() < 0.4 else one, 0)
    if kind is FaultKind.CLOCK_JUMP:
        return Fault(kind, key, at_ns, chance.uniform(5.0, 30.0), None, jump_s=chance.choice((-7.0, -2.0, 2.0, 7.0)))
    if kind in (FaultKind.LIMITED, FaultKind.BANNED, FaultKind.MAINTENANCE):
        return Fault(kind, key, at_ns, chance.uniform(61.0, 75.0), None, 0)  # no client that asks every minute misses it
    return Fault(kind, key, at_ns, 75.0, None, chance.randint(1, 3))
