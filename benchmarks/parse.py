"""Messages a second from a frame of one row to its records, per adapter and kind, through the session that a feed uses.

The frames are the conformance cases' own, written without blanks as venues write them.
"""

from __future__ import annotations

import gzip
import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Measured, rated
from liqscape.errors import CorruptRecord
from liqscape.model import Liquidation, Trade
from liqscape.venues.base import Session, Stream

CASES = Path(__file__).parents[1] / "tests" / "venues"
MESSAGES, RUNS, BAR = 20_000, 5, 200_000.0


def parsing() -> Iterator[Measured]:
    """Liquidations and trades of every adapter that streams them."""
    sys.path.insert(0, str(CASES))
    try:
        adapters = [one for path in sorted(CASES.glob("cases_*.py")) for one in importlib.import_module(path.stem).VENUE_CASES]
        recv_ns: int = importlib.import_module("venue_case").RECV_NS
    finally:
        sys.path.remove(str(CASES))
    for one in adapters:
        for kind in (Liquidation, Trade):
            best = shortest(one, kind, recv_ns)
            if best is not None:
                name = f"{one.venue.facts.key}: frames of one {kind.__name__.lower()} parsed"
                yield rated(name, "messages/CPU s", MESSAGES, taken(*best, kind, recv_ns), bar=BAR)


def shortest(one: Any, kind: type, recv_ns: int) -> tuple[Stream, str | bytes] | None:
    """Return the case's frame that gives the fewest records, one of `kind` among them, and its stream; None if there is none."""
    found: list[tuple[tuple[int, bool, int], Stream, str | bytes]] = []
    streams = one.venue.streams(one.specs)
    for case in one.cases:
        text = json.dumps(cut(json.loads(case.text)), separators=(",", ":"))
        tries = [(stream, frame) for stream in streams for frame in (text, gzip.compress(text.encode(), mtime=0))]
        for stream, frame in tries:
            records = heard(stream.session(), frame, recv_ns)
            # A trade that liquidates gives both; as a frame of trades it would be counted twice.
            if any(isinstance(record, kind) for record in records) and (
                kind is Liquidation or not any(isinstance(record, Liquidation) for record in records)
            ):
                # A session that unpacks frames gets them packed, as its venue sends them.
                found.append(((len(records), isinstance(frame, str), len(frame)), stream, frame))
    return min(found, key=lambda each: each[0])[1:] if found else None


def cut(node: Any) -> Any:
    """Leave the first of every list of rows."""
    if isinstance(node, dict):
        return {name: cut(value) for name, value in node.items()}
    if isinstance(node, list):
        return [cut(value) for value in (node[:1] if node and isinstance(node[0], dict) else node)]
    return node


def taken(stream: Stream, frame: str | bytes, kind: type, recv_ns: int) -> list[float]:
    """Return the processor's seconds of each run over all messages; a session that counts orders once gets new ones."""
    frames = [frame] * MESSAGES
    if isinstance(frame, str) and '"orderID":"' in frame:
        order = json.loads(frame)["data"][0]["orderID"]
        frames = [frame.replace(f'"{order}"', f'"{number:08d}-207c-0dab-15b5-b88da776f500"') for number in range(MESSAGES)]

    def run() -> int:
        receive = stream.session().receive
        return sum(len(receive(each, recv_ns).records) for each in frames)

    each = sum(isinstance(record, kind) for record in heard(stream.session(), frame, recv_ns))
    assert run() >= MESSAGES * each > 0, f"{stream.name}: not every frame gave its {kind.__name__}"
    spent: list[float] = []
    for _ in range(RUNS):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return spent


def heard(talk: Session, frame: str | bytes, recv_ns: int) -> list[object]:
    """Return the records of a frame, none if the session cannot read it."""
    try:
        return list(talk.receive(frame, recv_ns).records)
    except CorruptRecord:
        return []
