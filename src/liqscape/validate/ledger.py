"""The walk along the ledger of issued maps that finds whatever was changed after it was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from msgspec import Struct

from liqscape.clock import iso
from liqscape.store import Entry, Head, Ledger
from liqscape.store.ledger import GENESIS, link
from liqscape.units import NS_PER_S


class Fault(Struct, frozen=True, kw_only=True):
    """Something that was changed after it was written; `number` is the entry where it shows."""

    number: int
    what: str


class Verification(Struct, frozen=True, kw_only=True):
    """What a walk along the chain found.

    Parameters
    ----------
    entries
        How many there are.
    first_noted, last_noted
        When the first and the last were written; None without entries.
    head
        Hash of the last entry as it stands: note it elsewhere, and `--head` proves later that nothing before it was rewritten.
    faults
        Empty if nothing was changed.
    """

    entries: int
    first_noted: str | None
    last_noted: str | None
    head: str | None
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was changed."""
        return not self.faults


def verify(ledger: Ledger, known_head: str | None = None) -> Verification:
    """Walk the chain from its first entry.

    Parameters
    ----------
    known_head
        Hash that a reader noted earlier: it must be one of the chain's. Without one, someone who rewrites every entry from some
        point on, and the head, is not found.

    Raises
    ------
    StoreError
        If the file cannot be read at all.
    """
    entries, head = ledger.entries(), ledger.head()
    faults = list(_faults(entries, head))
    if known_head is not None and known_head not in {each.hash for each in entries}:
        faults.append(Fault(number=len(entries), what=f"no entry has the hash {known_head[:12]}... that was noted before"))
    return Verification(
        entries=len(entries),
        first_noted=_second(entries[0].noted_ns) if entries else None,
        last_noted=_second(entries[-1].noted_ns) if entries else None,
        head=entries[-1].hash if entries else None,
        faults=tuple(faults),
    )


def _faults(entries: Sequence[Entry], head: Head | None) -> Iterator[Fault]:
    previous, expected = GENESIS, 1
    for each in entries:
        if each.number != expected:
            gap = (
                f"entry {expected} is missing"
                if each.number == expected + 1
                else f"entries {expected} to {each.number - 1} are missing"
            )
            yield Fault(number=each.number, what=gap)
        elif each.previous != previous:
            yield Fault(number=each.number, what="does not follow the entry before it")
        if each.hash != link(each.previous, each.number, each.noted_ns, each.entry):
            yield Fault(number=each.number, what="is not what was written")
        elif each.digest != hashlib.sha256(each.entry).hexdigest():
            yield Fault(number=each.number, what="its digest was changed")
        previous, expected = each.hash, each.number + 1
    if entries and (head is None or (head.number, head.hash) != (entries[-1].number, entries[-1].hash)):
        noted = "nothing" if head is None else f"entry {head.number}"
        yield Fault(number=entries[-1].number, what=f"{noted} was noted as the last one: entries behind it were removed or added")
    elif not entries and head is not None:
        yield Fault(number=head.number, what=f"all {head.number} entries were removed")


def _second(ns: int) -> str:
    return iso(ns - ns % NS_PER_S)
