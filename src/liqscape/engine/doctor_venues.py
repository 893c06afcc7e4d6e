"""Doctor for what is recorded: recorders, venues, clocks, gaps, sides; and for venues that were called just now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from liqscape.clock import iso
from liqscape.engine.contact import AFFECTS, Call, Contact, Verdict
from liqscape.engine.doctor import Finding, Health
from liqscape.engine.recording.health import RecorderHealth, VenueHealth, read_health
from liqscape.engine.recording.selfcheck import EVENTS
from liqscape.engine.venue_state import VenueState, describe_venues
from liqscape.engine.workspace import Workspace
from liqscape.model import InstrumentId, Kind
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S, format_duration, parse_duration_ns
from liqscape.venues.base import Venue

SKEW_NS = 2 * NS_PER_S  # bars are asked for three seconds after their minute; headers tell whole seconds
_MINUTES = 20
_BUDGET = 0.05


def examine_recording(workspace: Workspace, venues: Sequence[Venue], *, now_ns: int) -> Iterator[Finding]:
    """Yield findings about recorders, stored prints and gaps; nothing where nothing was ever recorded or backfilled."""
    for health in read_health(workspace):
        yield _recorder(health, now_ns)
        if health.alive(now_ns):
            yield from _venues(workspace, health)
        for alarm in health.alarms:
            worst = Health.FAIL if alarm.what == "sides" else Health.WARN
            yield Finding(
                health=worst, check=alarm.what, subject=alarm.subject, found=f"since {iso(alarm.since_ns)}: {alarm.words}"
            )
    states = [state for state in describe_venues(workspace, venues, now_ns) if state.instruments]
    yield from _gaps(states)
    yield from _sides(workspace, states, now_ns)
    if states:
        counted = sum(len(state.unverified) for state in states)
        found = f"{counted} assumptions about {len(states)} venues are not proven (liqscape venues --unverified lists them)"
        yield Finding(health=Health.OK, check="unverified", subject=None, found=found)


def _recorder(health: RecorderHealth, now_ns: int) -> Finding:
    stored = ", ".join(f"{count:,} {name}" for name, count in sorted(health.rows.items()) if count) or "nothing"
    if health.alive(now_ns):
        wait = health.acknowledged_p99_s
        speed = "" if wait is None else f", prints on disk within {wait:.2g} s (p99)"
        found = f"{health.writer} is at work since {iso(health.started_ns)}: {stored}{speed}"
        return Finding(health=Health.OK, check="recorder", subject=None, found=found)
    ago = format_duration(max(now_ns - health.at_ns, 0))
    if health.stopped:
        found = f"{health.writer} ended in order {ago} ago: {stored}"
        return Finding(health=Health.OK, check="recorder", subject=None, found=found)
    found = f"{health.writer} (process {health.pid}) gave its last sign {ago} ago and did not end in order"
    return Finding(
        health=Health.WARN, check="recorder", subject=None, found=found, next="liqscape record: it goes on where it stopped"
    )


def _venues(workspace: Workspace, health: RecorderHealth) -> Iterator[Finding]:
    allowed_s = parse_duration_ns(workspace.settings.stale_after) / NS_PER_S
    for venue in health.venues:
        yield _venue(venue, allowed_s)
        if venue.skew_ns is not None and abs(venue.skew_ns) > SKEW_NS:
            way = "ahead of" if venue.skew_ns > 0 else "behind"
            found = f"our clock is {abs(venue.skew_ns) / NS_PER_S:.1f} s {way} the venue's"
            step = "let the system set the clock (NTP)"
            yield Finding(health=Health.WARN, check="clock", subject=venue.key, found=found, next=step)


def _venue(venue: VenueHealth, allowed_s: float) -> Finding:
    age = "nothing came yet" if venue.age_s is None else f"heard {format_duration(venue.age_s * NS_PER_S)} ago"
    found = f"{venue.state}, {age}, {venue.prints:,} prints, {venue.bars_late} bars late, {venue.corrupt} corrupt"
    left = min(venue.budget_left.values(), default=1.0)
    stale = venue.age_s is None or venue.age_s > allowed_s
    if stale or venue.corrupt or left < _BUDGET:
        words = venue.last_error or venue.last_corrupt
        found += f"; {words}" if words else ""
        step = f"liqscape doctor --live --venues {venue.key}"
        return Finding(health=Health.WARN, check="venue", subject=venue.key, found=found, next=step)
    budget = f"{left:.0%} of its budget left" if venue.budget_left else "ccxt keeps its budget"
    return Finding(health=Health.OK, check="venue", subject=venue.key, found=f"{found}, {budget}")


def _gaps(states: Sequence[VenueState]) -> Iterator[Finding]:
    for state in states:
        for gap in state.gaps:
            longest = format_duration(gap.longest_s * NS_PER_S)
            found = f"{gap.count} in 24 h, the longest {longest}: what happened then is not known"
            yield Finding(health=Health.WARN, check=f"gaps of {gap.kind}", subject=state.key, found=found)


def _sides(workspace: Workspace, states: Sequence[VenueState], now_ns: int) -> Iterator[Finding]:
    """Whether stored prints of the last day fit the returns of their minutes, venue by venue: falling prices close longs."""
    for state in states:
        pairs, events = _pairs(workspace, [InstrumentId.parse(name) for name in state.instruments], now_ns)
        if events <= EVENTS or len(pairs) < _MINUTES:
            continue
        table = np.array(pairs)
        if not (table.std(axis=0) > 0.0).all():
            continue
        correlation = float(np.corrcoef(table[:, 0], table[:, 1])[0, 1])
        found = (
            f"liquidated sides against returns of their minutes: correlation {correlation:+.2f} over {events:,} prints of 24 h"
        )
        if correlation < 0.0:
            yield Finding(health=Health.OK, check="sides", subject=state.key, found=found)
        else:
            step = f"it must be negative: look at venues/{state.venue}/parse.py and at what the venue changed"
            yield Finding(health=Health.FAIL, check="sides", subject=state.key, found=found, next=step)


def _pairs(workspace: Workspace, instruments: Sequence[InstrumentId], now_ns: int) -> tuple[list[tuple[float, float]], int]:
    """Return (sign of net long dollars, return) of every instrument's minutes with prints, and the count of prints."""
    pairs: list[tuple[float, float]] = []
    events = 0
    minute = pl.col("ts") // NS_PER_MINUTE
    for instrument in instruments:
        prints = workspace.store.read(Table.LIQUIDATIONS, instrument, start_ns=now_ns - NS_PER_DAY, end_ns=now_ns)
        if prints.is_empty():
            continue
        events += prints.height
        usd = pl.when(pl.col("position_side") == "long").then(1.0).otherwise(-1.0) * pl.col("price") * pl.col("quantity_base")
        net = prints.group_by(minute.alias("minute")).agg(usd.sum().sign().alias("sign"))
        bars = workspace.store.read(
            Table.BARS, instrument, start_ns=now_ns - NS_PER_DAY, end_ns=now_ns, where={"interval_ns": NS_PER_MINUTE}
        )
        moves = bars.group_by(minute.alias("minute")).agg((pl.col("close") / pl.col("open") - 1.0).first().alias("move"))
        joined = net.join(moves, on="minute", how="inner").filter(pl.col("sign") != 0.0)
        pairs += [(float(sign), float(move)) for sign, move in joined.select("sign", "move").iter_rows()]
    return pairs, events


def examine_contact(contact: Contact) -> Iterator[Finding]:
    """Yield what calling one venue showed: one line if all is well, else one per thing that is not; nothing if unreachable."""
    if contact.unreachable is not None:
        return
    fine = sum(call.verdict in (Verdict.FINE, Verdict.EMPTY) for call in contact.calls)
    empty = [call.name for call in contact.calls if call.verdict is Verdict.EMPTY]
    found = f"{fine} of {len(contact.calls)} calls as expected in {contact.took_s:.1f} s"
    found += f", nothing in {', '.join(empty)}" if empty else ""
    whole = fine == len(contact.calls)
    yield Finding(health=Health.OK if whole else Health.WARN, check="live", subject=contact.key, found=found)
    by_cause: dict[tuple[Verdict, str | None], list[Call]] = defaultdict(list)
    for call in contact.changed:
        by_cause[call.verdict, call.words].append(call)
    for calls in by_cause.values():
        yield _changed(contact.key, calls)
    if contact.lacks:
        said = f"no answer told {', '.join(contact.lacks)}: this venue cannot be in a map"
        yield Finding(health=Health.WARN, check="live", subject=contact.key, found=said)
    # An answer that took long says less about the clock.
    if contact.skew_ns is not None and abs(contact.skew_ns) > max(SKEW_NS, contact.took_s / 2.0 * NS_PER_S):
        said = f"our clock differs from the venue's by {contact.skew_ns / NS_PER_S:+.1f} s"
        yield Finding(
            health=Health.WARN, check="clock", subject=contact.key, found=said, next="let the system set the clock (NTP)"
        )


def unreachable(contacts: Sequence[Contact]) -> Iterator[Finding]:
    """Yield one finding for all venues that could not be reached."""
    lost = [contact for contact in contacts if contact.unreachable is not None]
    if not lost:
        return
    none = len(lost) == len(contacts)
    who = "no venue could be reached" if none else f"unreachable: {', '.join(sorted(contact.key for contact in lost))}"
    step = "is this machine connected?" if none else "are these venues blocked here? Other addresses: setting venue_urls"
    yield Finding(health=Health.FAIL, check="live", subject=None, found=f"{who}; {lost[0].unreachable}", next=step)


def _affects(call: Call, kind: Kind) -> str:
    if kind is Kind.INSTRUMENTS and call.records:
        return "instruments that are listed so are left out, the others are recorded"
    return AFFECTS[kind]


def _changed(key: str, calls: Sequence[Call]) -> Finding:
    first = calls[0]
    names = ", ".join(call.name for call in calls[:3]) + (f" and {len(calls) - 3} more" if len(calls) > 3 else "")
    where = f" at field {first.field}" if first.field else ""
    affected = "; ".join(dict.fromkeys(_affects(call, kind) for call in calls for kind in call.kinds))
    found = f"{names}: {first.verdict}{where}: {first.words or 'no words'}. Means: {affected or 'unknown'}"
    steps = {
        Verdict.CHANGED: f"if the venue means it, add a dated parser in venues/{key.partition('_')[0]}/parse.py",
        Verdict.SILENT: f"set another address: liqscape settings set venue_urls.{key}.ws ADDRESS",
        Verdict.UNREACHABLE: f"set another address: liqscape settings set venue_urls.{key}.HOST ADDRESS",
        Verdict.REFUSED: "read the venue's words; it may want a key, or the address is limited",
    }
    bad = Health.FAIL if first.verdict is Verdict.CHANGED else Health.WARN
    return Finding(health=bad, check="live", subject=key, found=found, next=steps[first.verdict])
