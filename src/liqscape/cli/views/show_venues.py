"""`liqscape venues`: what each venue can tell, and how it is doing here."""

from __future__ import annotations

from liqscape.api._arguments import venue_names
from liqscape.api.envelope import plain_meta
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Home, Plain
from liqscape.cli.screen import BOLD, DIM, GOOD, WARN, Piece, Screen
from liqscape.clock import now_ns
from liqscape.engine.venue_state import VenueState, describe_venues
from liqscape.engine.workspace import Workspace
from liqscape.units import NS_PER_S, format_duration
from liqscape.venues.registry import choose

_SHORT = {"all": "complete", "throttled": "throttled", "unknown": "unknown"}


def show_venues(home: Home, show: Plain, names: str | None, *, unverified: bool) -> None:
    """Answer `liqscape venues`."""
    found = describe_venues(Workspace(home.home), choose(venue_names(names)), now_ns())

    def text(screen: Screen) -> None:
        say_venues(screen, found)
        for state in found if unverified else ():
            _say_doubts(screen, state)

    stored = sorted({name for state in found for name in state.instruments})
    emit(show, Answer("venues", {"venues": found}, plain_meta(instruments=stored), text), Screen.of(show))


def say_venues(screen: Screen, found: tuple[VenueState, ...]) -> None:
    """Print a line per adapter: what it can tell, then how it is doing."""
    head = f"{'venue':<14} {'liquidations':<13} {'OI past':>8} {'mark':>5} {'ratios':>6} {'past prints':>11}"
    screen.row((f"{head}  {'stored':>6} {'age':>8} {'gaps 24h':>8} {'budget':>6}", DIM))
    for state in found:
        screen.row(*_row(state))
    notes = [f"{state.key}: {state.completeness_note}" for state in found]
    screen.blank()
    screen.line(("how complete the liquidations are", BOLD))
    for note in notes:
        screen.line((note, DIM), hang=2)
    count = sum(len(state.unverified) for state in found)
    text = "any other venue: --venues ccxt:phemex for record and backfill (price, open interest, funding; never liquidations)"
    screen.line((text, DIM), hang=2)
    screen.line((f"{count} assumptions are not proven by documentation: liqscape venues --unverified", DIM))


def _row(state: VenueState) -> list[Piece]:
    asks, live = frozenset(state.asks), state.recording
    past = "all" if "open_interest" in asks else "-"
    if "open_interest" in state.history_days:
        past = f"{state.history_days['open_interest']:.0f} d"
    feed = "none" if state.completeness is None else _SHORT[state.completeness]
    age = "-" if state.age_s is None else format_duration(state.age_s * NS_PER_S)
    gaps = sum(gap.count for gap in state.gaps)
    budget = "-" if live is None or not live.budget_left else f"{min(live.budget_left.values()):.0%}"

    def has(kind: str) -> str:
        return "yes" if kind in asks else "-"

    return [
        (f"{state.key:<14} ", BOLD if live else ""),
        (f"{feed:<13} ", GOOD if feed == "complete" else DIM if feed == "none" else ""),
        f"{past:>8} {has('mark_bars'):>5} {has('ratios'):>6} {has('liquidations'):>11}  {len(state.instruments):>6} {age:>8} ",
        (f"{gaps or '-':>8} ", WARN if gaps else ""),
        f"{budget:>6}",
        (f"  {live.state}" if live else "", GOOD if live and live.state == "live" else WARN),
    ]


def _say_doubts(screen: Screen, state: VenueState) -> None:
    screen.blank()
    screen.line((f"{state.title}: assumed", BOLD))
    if not state.unverified:
        screen.line(("nothing beyond its documentation", DIM))
    for doubt in state.unverified:
        screen.line(f"- {doubt.what}", hang=2)
        screen.line((f"  noticed by: {doubt.check}", DIM), hang=4)
