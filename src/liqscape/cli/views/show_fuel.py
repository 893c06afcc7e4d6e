"""`liqscape fuel`: the account of a region between two instants."""

from __future__ import annotations

from typing import Any

from liqscape.analytics import Fuel
from liqscape.api.frames import frame
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Built, Show, Target
from liqscape.cli.question import Question, check_age, duration, find_map, fraction, option, prices
from liqscape.cli.screen import BOLD, DIM, LONG, SHORT, Screen, bar
from liqscape.cli.views.badge import badge_style, badge_text, caveats_of, meta
from liqscape.cli.views.words import SHOUT, closing, level, said, stamps
from liqscape.clock import iso
from liqscape.engine.fuel import build_fuel
from liqscape.model import PositionSide
from liqscape.units import format_percent, format_usd

DEFAULT_WITHIN = "2%"


def show_fuel(
    target: Target, show: Show, *, since: str, window: str | None, within: str | None, range_: str | None, max_age: str | None
) -> None:
    """Answer `liqscape fuel`."""
    question = Question.of("fuel", target, show)
    reach = fraction("--within", within or DEFAULT_WITHIN)
    span = None if range_ is None else prices("--range", range_)
    # The map of the later instant says what the account rests on: inputs, weights, age.
    found = find_map(question, Built(window=window))
    check_age(max_age, question, found.inputs, found.as_of_ns)
    accounts = build_fuel(
        question.workspace,
        question.asked,
        since=since,
        as_of_ns=found.as_of_ns,
        within=reach,
        price_range=span,
        venues=question.venues,
        window=None if window is None else duration("--window", window),
    )
    sentence = said(found, " ".join(_sentence(each) for each in accounts))
    badge = question.badge(found)
    caveats = caveats_of(question, found, "fuel")

    def text(screen: Screen) -> None:
        if found.simulated:
            screen.line((SHOUT, "shout"))
        screen.line((sentence, BOLD))
        screen.joined([*stamps(screen, question, found), badge_text(badge)], badge_style(badge))
        for each in accounts:
            screen.blank()
            _say_account(screen, each)
        screen.blank()
        closing(screen, found, caveats)

    flags = [*option("--within", within), *option("--range", range_), *option("--window", window)]
    answer = Answer(
        command="fuel",
        data={"headline": sentence, "accounts": [_account(each) for each in accounts]},
        meta=meta(question, found, caveats),
        text=text,
        table=lambda: frame(accounts),
        links=question.links(found.as_of_ns, ["--since", iso(accounts[0].reference_ns), *flags]),
    )
    emit(show, answer, Screen.of(show, question.zone))


def _sentence(account: Fuel) -> str:
    left = "nothing stood there" if account.left_fraction is None else f"{format_percent(account.left_fraction, decimals=0)} left"
    return f"{account.region.side.capitalize()} fuel {level(account.region.from_price)}-{level(account.region.to_price)}: {left}."


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


def _account(account: Fuel) -> dict[str, Any]:
    """Return an account with its instants as text."""
    facts = {name: getattr(account, name) for name in account.__struct_fields__}
    facts["reference"], facts["as_of"] = iso(account.reference_ns), iso(account.as_of_ns)
    return {name: value for name, value in facts.items() if name not in ("reference_ns", "as_of_ns")}
