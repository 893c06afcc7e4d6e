"""Words, numbers and lines that several views share: what a map is, as of when, how far to trust it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from liqscape.analytics.caveats import Caveat
from liqscape.api.envelope import completeness_of, feeds_of, parts_of
from liqscape.api.question import Question
from liqscape.api.question import level as level
from liqscape.api.question import said as said
from liqscape.cli.screen import BOLD, DIM, WARN, Screen
from liqscape.cli.views.badge import badge_style, badge_text
from liqscape.model.instruments import describe
from liqscape.model.maps import Estimate, Heatmap, Inputs, LiquidationMap, Outcome, Reading, left_out_by_reason
from liqscape.model.sides import Completeness, PriceKind
from liqscape.units import NS_PER_HOUR, NS_PER_S, format_duration, format_percent, format_price, format_usd

SHOUT = " SIMULATED MARKET - NOT REAL DATA "
_SCALES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def usd_interval(estimate: Estimate, *, digits: int = 3) -> str:
    """Write dollars with their interval in the same unit: `$498M [372-663]`."""
    text = format_usd(estimate.median, digits=digits)
    if estimate.lo is None or estimate.hi is None or estimate.median is None:
        return text
    scale = _SCALES.get(text[-1], 1.0)
    return f"{text} [{_short(estimate.lo / scale)}-{_short(estimate.hi / scale)}]"


def number_interval(estimate: Estimate | None, write: Callable[[float], str]) -> str:
    """Write a number with its interval: `1.3 [0.9-2.0]`; signed ones are joined by dots: `+0.19 [-0.06..+0.46]`."""
    if estimate is None or estimate.median is None:
        return "-"
    text = write(estimate.median)
    if estimate.lo is None or estimate.hi is None:
        return text
    low, high = write(estimate.lo), write(estimate.hi)
    return f"{text} [{low}{'..' if low[0] in '+-' else '-'}{high}]"


def signed(value: float) -> str:
    """Write `+0.14`."""
    return f"{value:+.2f}"


def plain(value: float) -> str:
    """Write `1.4`, with more digits below 1."""
    return f"{value:.1f}" if abs(value) >= 1.0 else f"{value:.2f}"


def percent(value: float | None, decimals: int = 0) -> str:
    """Write a fraction in per cent, close to its sign: `88%`."""
    return format_percent(value, decimals=decimals).replace(" ", "")


def distance_text(distance: float) -> str:
    """Write a signed distance close to its sign: `+0.5%`, `-0.25%`."""
    decimals = 1 if abs(round(distance * 1000.0) - distance * 1000.0) < 1e-6 else 2
    return format_percent(distance, decimals=decimals, sign=True).replace(" ", "")


def window_text(distance: float) -> str:
    """Write a distance window with as many decimals as it needs: `2 %`, `1.5 %`."""
    return f"{round(distance * 100, 6):g} %"


def price(value: float | None) -> str:
    """Write a price without idle zeros."""
    text = format_price(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def odds_text(odds: float | None) -> str:
    """Write odds: `67%`, `< 1%` where they are small and not nothing."""
    return "< 1%" if odds is not None and 0.0 < odds < 0.005 else percent(odds)


def opening(screen: Screen, question: Question, found: LiquidationMap, sentence: str) -> None:
    """Print what leads every view of a map: SIMULATED if it is, the headline, the market, the instant."""
    if found.simulated:
        screen.line((SHOUT, "shout"))
    screen.line((sentence, BOLD))
    name = found.asked if ":" in found.asked else f"{found.asked} perp"
    change = "" if found.price_change_24h is None else f"{format_percent(found.price_change_24h, decimals=2, sign=True)} 24h"
    parts = [name, f"{found.price_kind} {price(found.mark_price)}", change, f"OI {format_usd(found.open_interest_usd)}"]
    if found.funding_rate is not None and found.funding_interval_ns:
        parts.append(f"funding {found.funding_rate * 1e4:+.2f} bp/{found.funding_interval_ns / NS_PER_HOUR:g}h")
    screen.joined(part for part in parts if part)
    badge = question.badge(found)
    screen.joined([*stamps(screen, question, found), badge_text(badge)], badge_style(badge))
    if len(found.inputs) > 1 or found.left_out:
        say_parts(screen, question, found)


def say_parts(screen: Screen, question: Question, found: LiquidationMap | Heatmap) -> None:
    """Print what each venue brings to a joined map: share of open interest, age, completeness; and who was left out."""
    complete = {Completeness.ALL: "complete", Completeness.THROTTLED: "throttled", Completeness.UNKNOWN: "completeness unknown"}
    phrases: list[str] = []
    for part in parts_of(found.inputs, question.seen_from_ns(found.as_of_ns)):
        share = "share unknown" if part.share is None else f"{percent(part.share)} of OI"
        feed = complete[Completeness(part.completeness)] if part.feeds else "no feed"
        phrases.append(f"{part.instrument} {share}, {format_duration(max(part.age_s, 0.0) * NS_PER_S)} old, {feed}")
    screen.joined(phrases, DIM, between=" | ")
    for reason, names in left_out_by_reason(found.left_out).items():
        screen.line(("LEFT OUT ", WARN), f"{', '.join(names)}: {reason}", hang=9)


def stamps(screen: Screen, question: Question, found: LiquidationMap | Heatmap) -> list[str]:
    """Return the instant, the age, the reading and the filters."""
    newest = min(each.last_bar_end_ns for each in found.inputs)
    age = max(question.seen_from_ns(found.as_of_ns) - newest, 0)
    parts = [f"as of {screen.instant(found.as_of_ns)} ({format_duration(age)} old)"]
    parts.append(reading_text(found))
    if found.filters:
        parts.append("filtered: " + ", ".join(f"{name} {value}" for name, value in found.filters.items()))
    return parts


def reading_text(found: LiquidationMap | Heatmap) -> str:
    """Say which dollars are meant."""
    if found.reading is Reading.PUBLISHED:
        return "dollars as published"
    share = found.reported_share if isinstance(found, LiquidationMap) else None
    return f"dollars estimated true (published / {share[0]:g})" if share else "dollars estimated true"


def closing(screen: Screen, found: LiquidationMap | Heatmap, caveats: Sequence[Caveat]) -> None:
    """Print what a view rests on: window, feeds, weights, coverage; then its caveats."""
    screen.joined(rests_on(screen, found), DIM, between="; ")
    say_caveats(screen, caveats)


def rests_on(screen: Screen, found: LiquidationMap | Heatmap) -> list[str]:
    """Return the phrases that say what a map was built from."""
    inputs = found.inputs
    first, last = min(each.window_from_ns for each in inputs), max(each.window_to_ns for each in inputs)
    bars, missing = sum(each.bars for each in inputs), sum(each.missing_bars for each in inputs)
    days = f"window {screen.instant(first)[:10]} to {screen.instant(last)[:10]} ({format_duration(last - first)})"
    kind = "mark" if found.price_kind is PriceKind.MARK else "last-price"
    phrases = [days, f"{bars:,} {format_duration(inputs[0].bar_interval_ns)} {kind} bars, {missing or 'none'} missing"]
    phrases += [feeds_text(inputs), weights_text(inputs)]
    if isinstance(found, LiquidationMap) and found.outcome is Outcome.CAPPED:
        phrases.append(found.outcome.sentence.rstrip("."))
    quotes = sorted({each.quote for each in map(describe, (one.instrument for one in inputs)) if each.quote})
    if len(quotes) > 1:
        phrases.append(f"{', '.join(quotes[:-1])} and {quotes[-1]} taken as one dollar")
    known = format_percent(found.balance.measured_share, decimals=0) if isinstance(found, LiquidationMap) else "0 %"
    phrases.append(f"{len(inputs)} venue{'s' if len(inputs) > 1 else ''}, share of all open interest not known, {known} measured")
    phrases += [text for each in inputs if (text := measured_text(each))]
    return [*phrases, f"model {found.model}, inputs {'+'.join(each.sha256[:8] for each in inputs)}"]


def measured_text(inputs: Inputs) -> str:
    """Say what of an instrument is known position by position, and what is not any more; empty if nobody was followed."""
    known = inputs.measured
    if known is None:
        return ""
    text = (
        f"{inputs.instrument}: positions of {known.accounts:,} accounts known,"
        f" {percent(known.long_share)} of longs and {percent(known.short_share)} of shorts, the rest modelled"
    )
    if known.more_than_open:
        text += ", MORE THAN OPEN INTEREST: scaled down to it"
    dropped = [f"{known.stale} too old"] * (known.stale > 0) + [f"{known.passed} gone through"] * (known.passed > 0)
    return text + (f"; modelled again: {', '.join(dropped)}" if dropped else "")


def feeds_text(inputs: Sequence[Inputs]) -> str:
    """Say whose liquidations were learned from, and whether they are all that happened."""
    feeds = feeds_of(inputs)
    if not feeds:
        return "no liquidation feed"
    kind = completeness_of(inputs)
    complete = {Completeness.ALL: "complete", Completeness.THROTTLED: "throttled"}.get(kind, "completeness unknown")
    return f"liquidations of {', '.join(feeds)} ({complete})"


def weights_text(inputs: Sequence[Inputs]) -> str:
    """Say where the weights come from, with the level of reporting they were scaled by."""
    origins: list[str] = []
    for each in inputs:
        of = f" of {each.weights.instrument}" if len(inputs) > 1 or each.weights.source == "shipped" else ""
        hours = f" from {each.weights.hours:,} h" if each.weights.hours else ""
        score = f" ({each.weights.score})" if each.weights.score else ""
        level = f", level rho {each.level_slow:.2f} slow, {each.level_fast:.2f} fast" if each.weights.source == "learned" else ""
        origins.append(f"weights {each.weights.source}{hours}{of}{score}{level}")
    return "; ".join(dict.fromkeys(origins))


def say_caveats(screen: Screen, caveats: Sequence[Caveat]) -> None:
    """Print caveats as one flowing paragraph, each led by its code."""
    pieces: list[str | tuple[str, str]] = []
    for each in caveats:
        pieces += [(each.code, WARN if each.code in ("SIMULATED", "STALE", "SHIPPED", "FILTERED") else "bold dim")]
        pieces += [(f" {each.text} ", DIM)]
    screen.line(*pieces)


def _short(value: float) -> str:
    """Write a number with up to three digits: `372`, `1.6`, `0.94`."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, min(2, 1 - math.floor(math.log10(abs(value)))))
    return f"{value:,.{decimals}f}"
