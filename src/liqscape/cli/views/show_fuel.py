"""`liqscape fuel`: the account of a region between two instants."""

from __future__ import annotations

from liqscape.analytics import Fuel
from liqscape.api.answers.history import answer_fuel
from liqscape.api.question import Words
from liqscape.cli.emit import emit_answer
from liqscape.cli.options import Show, Target
from liqscape.cli.question import question_of
from liqscape.cli.screen import BOLD, DIM, LONG, SHORT, Screen, bar
from liqscape.cli.views.badge import badge_style, badge_text
from liqscape.cli.views.words import SHOUT, closing, level, stamps
from liqscape.model import PositionSide
from liqscape.units import format_usd


def show_fuel(
    target: Target, show: Show, *, since: str, window: str | None, within: str | None, range_: str | None, max_age: str | None
) -> None:
    """Answer `liqscape fuel`."""
    question = question_of("fuel", target, show)
    answered = answer_fuel(question, Words(window=window, max_age=max_age), since=since, within=within, range_=range_)
    parts = answered.parts
    badge = question.badge(parts.found)

    def text(screen: Screen) -> None:
        if parts.found.simulated:
            screen.line((SHOUT, "shout"))
        screen.line((parts.sentence, BOLD))
        screen.joined([*stamps(screen, question, parts.found), badge_text(badge)], badge_style(badge))
        for each in parts.accounts:
            screen.blank()
            _say_account(screen, each)
        screen.blank()
        closing(screen, parts.found, parts.caveats)

    emit_answer(show, answered, text, question.zone)


def _say_account(screen: Screen, account: Fuel) -> None:
    """Print the account so that a reader can add it up."""
    color = SHORT if account.region.side is PositionSide.SHORT else LONG
    screen.row((f"{account.region.side}s {level(account.region.from_price)} to {level(account.region.to_price)}", color))
    rows = (
        (f"stood {screen.instant(account.reference_ns)}", account.pool_reference_usd, ""),
        ("- swept by the mark", account.burnt_usd, "-"),
        ("- closed", account.closed_usd, "-"),
        ("+ opened", account.opened_usd, "+"),
        ("+ re-learned weights", account.drift_usd, "+"),
        (f"= stands {screen.instant(account.as_of_ns)}", account.pool_now_usd, ""),
    )
    largest = max(abs(value) for _, value, _ in rows)
    width = min(24, screen.width - 50) if screen.bars else 0
    for name, value, _ in rows:
        solid, _light = bar(abs(value), largest, 1.0, width) if width > 0 else ("", "")
        screen.row(f"  {name:<30} {format_usd(value):>10}  ", (solid, color))
    seen = format_usd(account.forced_seen_usd)
    ratio = "" if account.burn_ratio is None else f", {account.burn_ratio:.2f} of what was swept"
    screen.line((f"  forced orders published, its part of them: {seen}{ratio}", DIM))
