"""How long it took until data flowed again after each fault, as the venues see it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from liqscape.testing.exchange.exchange import Link, RehearsalExchange
from liqscape.testing.exchange.faults import OF_FRAMES, OF_REQUESTS, Deed, FaultKind
from liqscape.units import NS_PER_S

# What lasts by time ends only then: the client is given time from there on.
_LASTING = (FaultKind.WRONG_PATH, FaultKind.REFUSED, *OF_REQUESTS)


@dataclass(frozen=True)
class Recovery:
    """How one fault was overcome.

    Parameters
    ----------
    fault
        Its number in the script.
    connection
        The connection that it befell, None if it befell answers.
    seconds
        From its end (for what lasts), else from its beginning, until an unharmed frame or answer went out; None: never again.
    """

    fault: int
    kind: FaultKind
    key: str
    connection: int | None
    seconds: float | None


def recoveries(exchange: RehearsalExchange) -> list[Recovery]:
    """Return how every fault that acted was overcome: for each connection that it befell, or for the venue's answers.

    A broken connection is replaced by one that was opened later and was asked for the same; of several broken together each
    has its own successor.
    """
    links = {link.number: link for link in (*exchange.past, *exchange.links)}
    last: dict[tuple[int, int | None], Deed] = {}
    for deed in exchange.log:
        if deed.connection is not None or deed.kind in OF_REQUESTS:
            last[deed.fault, deed.connection] = deed
    found: list[Recovery] = []
    taken: set[int] = set()
    for (number, connection), deed in sorted(last.items(), key=lambda item: (item[1].ts_ns, item[1].connection or -1)):
        fault = exchange.faults[number]
        since = max(deed.ts_ns, fault.end_ns) if fault.count == 0 and deed.kind in _LASTING else deed.ts_ns
        if connection is None:
            at = _next(exchange.answered_ns[deed.key], deed.ts_ns)
        else:
            at = _again(links[connection], deed, list(links.values()), taken)
        seconds = None if at is None else max(0.0, (at - since) / NS_PER_S)
        found.append(Recovery(number, deed.kind, deed.key, connection, seconds))
    return found


def _again(link: Link, deed: Deed, links: list[Link], taken: set[int]) -> int | None:
    """Return when the link itself, or its successor, pushed unharmed data after a deed."""
    if deed.kind in OF_FRAMES and (at := _next(link.data_ns, deed.ts_ns)) is not None:
        return at
    successors = [
        (at, other.number)
        for other in links
        if other.opened_ns >= deed.ts_ns
        and other.signature == link.signature
        and other.number not in taken
        and (at := _next(other.data_ns, deed.ts_ns)) is not None
    ]
    if not successors:
        return None
    at, number = min(successors)
    taken.add(number)
    return at


def _next(times: list[int], after_ns: int) -> int | None:
    place = bisect_right(times, after_ns)
    return times[place] if place < len(times) else None
