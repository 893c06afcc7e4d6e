"""What a venue's own cases look like: a minimal payload with the venue's real fields, and the records it must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from liqscape.model import InstrumentSpec, Record
from liqscape.venues.base import Venue
from liqscape.venues.wire import Parsed

RECV_NS = 1_790_000_100_000_000_000  # when every payload of the cases arrives; their own times lie shortly before


@dataclass(frozen=True)
class Case:
    """One payload.

    Parameters
    ----------
    name
        What it shows, in words.
    text
        The frame or the answer's body; as the venue writes it.
    read
        The parser: (bytes) -> records; a session's `receive` or an ask's `parse` is wrapped by the case.
    expected
        The records, whole.
    """

    name: str
    text: str
    read: Callable[[bytes], Parsed]
    expected: list[Record]


@dataclass(frozen=True)
class VenueCases:
    """Everything the conformance list needs of one adapter.

    Parameters
    ----------
    specs
        A few instruments by symbol, of every contract kind the adapter has.
    cases
        At least one per kind the facts name; both position sides of a liquidation.
    fixtures
        (file below shared/reference/fixtures, entry -> records or None) for recorded payloads: None says that the entry is not
        for this adapter (another product, another channel).
    """

    venue: Venue
    specs: dict[str, InstrumentSpec]
    cases: list[Case]
    fixtures: dict[str, Callable[[str, object], Parsed | None]]
