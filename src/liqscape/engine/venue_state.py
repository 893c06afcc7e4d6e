"""What each venue can tell, and how it is doing here: facts of the adapter beside what the recorder and the store say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from liqscape.engine.recording.health import RecorderHealth, VenueHealth, read_health
from liqscape.engine.recording.wanted import remembered
from liqscape.engine.workspace import Workspace
from liqscape.model import InstrumentId, Kind
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_S
from liqscape.venues.base import Venue

GAPS_NS = NS_PER_DAY  # how far back gaps are counted


class Unverified(Struct, frozen=True, kw_only=True):
    """An assumption about a venue, and how the program would notice that it is wrong."""

    what: str
    check: str


class GapCount(Struct, frozen=True, kw_only=True):
    """Gaps of one kind in the last day, over all instruments: how many, and the seconds of the longest."""

    kind: str
    count: int
    longest_s: float


class VenueState(Struct, frozen=True, kw_only=True):
    """One adapter.

    Parameters
    ----------
    completeness, completeness_note
        What its liquidation feed shows; None if it publishes none.
    streams, asks
        Kinds that come by WebSocket, and kinds that can be asked for.
    history_days
        How far back a kind can be asked for; absent: to the launch.
    instruments
        Stored ones.
    newest_bar_ns, age_s
        End of the newest stored bar, and how old that is; None if none is stored.
    recording
        What the recorder says of it, None if none is at work.
    gaps
        Of the last day.
    """

    key: str
    venue: str
    title: str
    completeness: str | None
    completeness_note: str
    streams: tuple[str, ...]
    asks: tuple[str, ...]
    history_days: dict[str, float]
    open_interest_interval_s: float | None
    instruments: tuple[str, ...]
    newest_bar_ns: int | None
    age_s: float | None
    recording: VenueHealth | None
    gaps: tuple[GapCount, ...]
    unverified: tuple[Unverified, ...]


def describe_venues(workspace: Workspace, venues: Sequence[Venue], now_ns: int) -> tuple[VenueState, ...]:
    """Return what is known of each adapter, in the order given."""
    newest: dict[InstrumentId, int] = {}
    for one in workspace.store.coverage():
        if one.table is Table.BARS:
            end = one.last_ns + (one.interval_ns or 0)
            newest[one.instrument] = max(end, newest.get(one.instrument, 0))
    at_work = recorded_venues(workspace, now_ns)
    gaps = _gaps(workspace, now_ns)
    return tuple(_state(workspace, venue, newest, at_work, gaps, now_ns) for venue in venues)


def recorded_venues(workspace: Workspace, now_ns: int) -> dict[str, VenueHealth]:
    """Return what recorders that are at work say of each adapter, by key."""
    alive: list[RecorderHealth] = [health for health in read_health(workspace) if health.alive(now_ns)]
    return {venue.key: venue for health in alive for venue in health.venues}


def own_instruments(workspace: Workspace, venue: Venue, stored: Sequence[InstrumentId]) -> list[InstrumentId]:
    """Return the stored instruments of an adapter: those it listed, else all of its venue's name."""
    listed = {spec.id for spec in remembered(workspace, venue)}
    return [one for one in stored if one.venue == venue.facts.venue and (not listed or one in listed)]


def _state(
    workspace: Workspace,
    venue: Venue,
    newest: dict[InstrumentId, int],
    at_work: dict[str, VenueHealth],
    gaps: dict[InstrumentId, list[tuple[str, float]]],
    now_ns: int,
) -> VenueState:
    facts = venue.facts
    own = own_instruments(workspace, venue, sorted(newest))
    latest = max((newest[one] for one in own), default=None)
    published = Kind.LIQUIDATIONS in facts.streams or Kind.LIQUIDATIONS in facts.asks
    by_kind: dict[str, list[float]] = defaultdict(list)
    for one in own:
        for kind, seconds in gaps.get(one, []):
            by_kind[kind].append(seconds)
    return VenueState(
        key=facts.key,
        venue=facts.venue,
        title=facts.title,
        completeness=str(facts.completeness) if published else None,
        completeness_note=facts.completeness_note,
        streams=tuple(sorted(str(kind) for kind in facts.streams)),
        asks=tuple(sorted(str(kind) for kind in facts.asks)),
        history_days={str(kind): length / NS_PER_DAY for kind, length in facts.history_ns.items()},
        open_interest_interval_s=None if facts.open_interest_interval_ns is None else facts.open_interest_interval_ns / NS_PER_S,
        instruments=tuple(str(one) for one in own),
        newest_bar_ns=latest,
        age_s=None if latest is None else max(now_ns - latest, 0) / NS_PER_S,
        recording=at_work.get(facts.key),
        gaps=tuple(GapCount(kind=kind, count=len(found), longest_s=max(found)) for kind, found in sorted(by_kind.items())),
        unverified=tuple(Unverified(what=doubt.what, check=doubt.check) for doubt in facts.doubts),
    )


def _gaps(workspace: Workspace, now_ns: int) -> dict[InstrumentId, list[tuple[str, float]]]:
    """Return (kind, seconds) of the gaps that ended in the last day, by instrument."""
    rows = workspace.store.read(Table.GAPS, start_ns=now_ns - 2 * GAPS_NS, end_ns=now_ns)
    found: dict[InstrumentId, list[tuple[str, float]]] = defaultdict(list)
    for name, kind, start, end in rows.select("instrument", "kind", "ts", "end_ts").iter_rows():
        if end > now_ns - GAPS_NS:
            found[InstrumentId.parse(name)].append((str(kind), (end - start) / NS_PER_S))
    return found
