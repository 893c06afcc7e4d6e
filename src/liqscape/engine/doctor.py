"""Look at everything a map rests on, and say what is well, what is not, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import Struct

from liqscape.analytics import asymmetry
from liqscape.cascade import _dynamic_kernels
from liqscape.cascade import _kernels as potential_kernels
from liqscape.clock import iso
from liqscape.engine.cascade import check_reality
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.errors import LiqscapeError
from liqscape.estimate import _kernels, _learn_kernels
from liqscape.model import Completeness, InstrumentId, PriceKind
from liqscape.model.maps import LiquidationMap
from liqscape.store import Coverage, Table, last_open_interest_ns, read_liquidations
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_S, format_duration, format_percent

# No release of this program is older: a clock that says less is wrong.
_EARLIEST_CLOCK_NS = 1_735_689_600_000_000_000  # 2025-01-01
DEFAULT_MAX_AGE_NS = 2 * NS_PER_DAY
_GAP_SHARE = 0.001  # of the bars: fewer missing ones are no reason to worry
_LATE_OPEN_INTEREST_NS = NS_PER_HOUR


class Health(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Struct, frozen=True, kw_only=True):
    """One check.

    Parameters
    ----------
    check, subject
        What was looked at, and of which instrument; None is the program itself.
    found
        What was seen, in words.
    next
        The command that helps, or None if nothing is wrong.
    """

    health: Health
    check: str
    subject: str | None
    found: str
    next: str | None = None


def examine(
    workspace: Workspace, asked: str | None = None, *, now_ns: int, max_age_ns: int = DEFAULT_MAX_AGE_NS
) -> Iterator[Finding]:
    """Yield one finding per check, as they are made.

    Parameters
    ----------
    asked
        Only this instrument or base; None looks at all that are stored.
    now_ns
        The present, ns UTC.
    max_age_ns
        Series whose newest row is older are worth a warning.
    """
    yield _cache()
    home = _home(workspace.home)
    yield home
    if home.health is Health.FAIL:
        return
    yield _settings(workspace)
    try:
        coverage = workspace.store.coverage()
        names = workspace.resolve(asked) if asked is not None else workspace.stored()
    except LiqscapeError as error:
        yield Finding(health=Health.FAIL, check="store", subject=None, found=error.message, next=error.hint)
        return
    yield _clock(workspace, coverage, now_ns)
    if not names:
        yield Finding(
            health=Health.WARN,
            check="store",
            subject=None,
            found="no bars are stored",
            next="liqscape import FOLDER, or liqscape demo",
        )
    for name in names:
        yield from _instrument(workspace, name, [c for c in coverage if c.instrument == name], now_ns, max_age_ns)


def _settings(workspace: Workspace) -> Finding:
    try:
        changed = workspace.settings.model_fields_set
    except LiqscapeError as error:
        return Finding(health=Health.FAIL, check="settings", subject=None, found=error.message, next="liqscape settings")
    found = f"changed: {', '.join(sorted(changed))}" if changed else "all at their defaults"
    return Finding(health=Health.OK, check="settings", subject=None, found=found)


def _home(home: Path) -> Finding:
    """Whether the home, or the nearest folder above it that exists, can be written."""
    nearest = next((folder for folder in (home, *home.absolute().parents) if folder.exists()), Path("/"))
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        found = f"{home}: {nearest} cannot be written"
        return Finding(health=Health.FAIL, check="home", subject=None, found=found, next="set LIQSCAPE_HOME to a folder of yours")
    state = "can be written" if home.exists() else "not there yet, will be made by the first import"
    return Finding(health=Health.OK, check="home", subject=None, found=f"{home}: {state}")


def _clock(workspace: Workspace, coverage: Sequence[Coverage], now_ns: int) -> Finding:
    """Whether the clock is later than what it should be later than: this program, and the newest real row."""
    newest = max((c.last_ns for c in coverage if not workspace.is_simulated(c.instrument)), default=0)
    latest = max(newest, _EARLIEST_CLOCK_NS)
    if now_ns < latest:
        why = "rows are stored from" if newest == latest else "this program is younger than"
        found = f"it says {iso(now_ns)}, but {why} {iso(latest)}"
        return Finding(health=Health.FAIL, check="clock", subject=None, found=found, next="set the clock of this machine")
    return Finding(health=Health.OK, check="clock", subject=None, found=iso(now_ns - now_ns % NS_PER_S))


def _cache() -> Finding:
    """Whether the kernels lie compiled on disk."""
    found, cold = 0, 0
    for module in (_kernels, _learn_kernels, potential_kernels, _dynamic_kernels):
        for name, folder in _cache_folders(module):
            found += 1
            cold += not any(folder.glob(f"*{name}-*.nbi"))
    if cold:
        text = f"{cold} of {found} kernels are not compiled yet: the first command takes longer"
        return Finding(health=Health.WARN, check="kernels", subject=None, found=text, next="liqscape warmup")
    return Finding(health=Health.OK, check="kernels", subject=None, found=f"all {found} are compiled")


def _cache_folders(module: ModuleType) -> Iterator[tuple[str, Path]]:
    """Yield the name of every kernel of a module and the folder that its compiled form lies in."""
    for name, function in vars(module).items():
        cache: Any = getattr(function, "_cache", None)
        if cache is not None and getattr(function, "__module__", None) == module.__name__:
            yield name, Path(str(cache.cache_path))


def _instrument(
    workspace: Workspace, name: InstrumentId, series: Sequence[Coverage], now_ns: int, max_age_ns: int
) -> Iterator[Finding]:
    bars = [c for c in series if c.table is Table.BARS]
    if not bars:
        yield Finding(
            health=Health.FAIL,
            check="bars",
            subject=str(name),
            found="none are stored",
            next=f"liqscape import FOLDER --instrument {name}",
        )
        return
    simulated = workspace.is_simulated(name)
    for one in bars:
        yield _bars(one, now_ns, max_age_ns, simulated=simulated)
    if not any(c.price_kind == PriceKind.MARK for c in bars):
        yield Finding(
            health=Health.WARN,
            check="price",
            subject=str(name),
            found="only last-price bars: venues liquidate at the mark price",
            next="import markPriceKlines of the same days",
        )
    end_ns = max(c.last_ns + (c.interval_ns or 0) for c in bars)
    yield _open_interest(workspace, name, end_ns)
    yield _liquidations(workspace, name, end_ns)
    yield from _map(workspace, name, simulated=simulated)


def _bars(one: Coverage, now_ns: int, max_age_ns: int, *, simulated: bool) -> Finding:
    """Span, gaps and age of one series of bars."""
    interval = one.interval_ns or 1
    end_ns = one.last_ns + interval
    missing = (end_ns - one.first_ns) // interval - one.rows
    age = now_ns - end_ns
    found = f"{one.rows:,} {one.price_kind} bars of {format_duration(interval)}, {iso(one.first_ns)[:10]} to {iso(end_ns)[:16]}Z"
    found += f", {missing:,} missing" if missing else ", no gap"
    gaps = missing > _GAP_SHARE * one.rows
    late = age > max_age_ns and not simulated
    found += f", {format_duration(max(age, 0))} old" if not simulated else ", simulated"
    if not gaps and not late:
        return Finding(health=Health.OK, check="bars", subject=str(one.instrument), found=found)
    ask = f"liqscape backfill {one.instrument}, or liqscape import FOLDER"
    step = f"newer bars: {ask}" if late else f"the missing days: {ask}"
    return Finding(health=Health.WARN, check="bars", subject=str(one.instrument), found=found, next=step)


def _open_interest(workspace: Workspace, name: InstrumentId, end_ns: int) -> Finding:
    newest = last_open_interest_ns(workspace.store, name, at_ns=end_ns)
    if newest is None:
        return Finding(
            health=Health.FAIL,
            check="open interest",
            subject=str(name),
            found="none is stored: a map needs it",
            next="import Binance metrics, Tardis derivative_ticker, or bars with open_interest_base",
        )
    late = end_ns - newest
    found = f"newest stamp {iso(newest)}" + (f", {format_duration(late)} before the last bar ends" if late > 0 else "")
    if late > _LATE_OPEN_INTEREST_NS:
        step = f"open interest of the last days: liqscape backfill {name} --days 5, or liqscape import FOLDER"
        return Finding(health=Health.WARN, check="open interest", subject=str(name), found=found, next=step)
    return Finding(health=Health.OK, check="open interest", subject=str(name), found=found)


def _liquidations(workspace: Workspace, name: InstrumentId, end_ns: int) -> Finding:
    series = read_liquidations(workspace.store, name, end_ns=end_ns)
    if not len(series):
        return Finding(
            health=Health.WARN,
            check="liquidations",
            subject=str(name),
            found="none are stored: maps use shipped weights and are all prior",
            next="import published liquidations",
        )
    first, last = int(series.start_ns[0]), int(series.start_ns[-1]) + series.interval_ns
    known = len(series) * series.interval_ns / (last - first)
    complete = {Completeness.ALL: "complete", Completeness.THROTTLED: "throttled: lower bounds"}
    kind = complete.get(series.completeness, "completeness not known")
    found = f"{len(series):,} intervals of {format_duration(series.interval_ns)} to {iso(last)[:16]}Z, "
    found += f"{format_percent(known)} known, feeds of {', '.join(series.venues)} ({kind})"
    late = end_ns - last > DEFAULT_MAX_AGE_NS
    return Finding(
        health=Health.WARN if late else Health.OK,
        check="liquidations",
        subject=str(name),
        found=found,
        next=f"record them: liqscape record {name}, or import those of the last days" if late else None,
    )


def _map(workspace: Workspace, name: InstrumentId, *, simulated: bool) -> Iterator[Finding]:
    """What the newest map says of itself, and of the days before it."""
    try:
        found = build_map(workspace, str(name))
    except LiqscapeError as error:
        yield Finding(health=Health.FAIL, check="map", subject=str(name), found=error.message, next=error.hint)
        return
    yield _plausible(name, found)
    if not simulated:  # made-up flow follows no market's law of impact
        yield _runs(workspace, name, found)


def _runs(workspace: Workspace, name: InstrumentId, found: LiquidationMap) -> Finding:
    """Whether maps and brakes would have let as many moves run as did (F04)."""
    try:
        check = check_reality(workspace, found)
    except LiqscapeError as error:
        return Finding(health=Health.OK, check="runs", subject=str(name), found=f"not checked: {error.message}")
    if check is None:
        return Finding(health=Health.OK, check="runs", subject=str(name), found="not checked: under 14 days of hours with volume")
    said = f"{check.days} d, {check.hours:,} h with volume: {check.sentence}"
    if check.check.consistent:
        return Finding(health=Health.OK, check="runs", subject=str(name), found=said)
    return Finding(health=Health.WARN, check="runs", subject=str(name), found=said, next=f"liqscape cascade {name}")


def _plausible(name: InstrumentId, found: LiquidationMap) -> Finding:
    """Whether the newest map holds more than its prior thinks possible (F04)."""
    rows = asymmetry(found).within
    strange = [row for row in rows if row.plausible is False]
    if strange:
        said = f"pools within {format_percent(strange[0].distance, decimals=0)} are above the prior's 95th percentile"
        return Finding(health=Health.WARN, check="map", subject=str(name), found=said, next=f"liqscape asymmetry {name}")
    return Finding(health=Health.OK, check="map", subject=str(name), found="the newest map is plausible")
