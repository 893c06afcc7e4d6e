"""The sentences inside a picture: where it comes from, as of when, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence

from liqscape.clock import iso
from liqscape.model.maps import Heatmap, Inputs, LiquidationMap, Outcome, Reading
from liqscape.model.sides import Completeness, PriceKind
from liqscape.units import format_duration, format_percent, format_price

UNTESTED = "UNTESTED"
SIMULATED = "SIMULATED"
# The texts of caveat codes that hold for every number alike; codes whose text has a number in it come with `caption`.
CAVEATS = {
    "POTENTIAL": "Where forced orders would sit, not where price must go.",
    "WINDOW": "Depends on the window; over all distances longs = shorts = open interest.",
    "MODEL": "Modelled from public data; only on-chain venues show positions.",
    "THROTTLED": "Binance and OKX publish at most one order a second: lower bounds.",
    "UNTESTED": "No out-of-sample record yet.",
    "SEEN": "Everyone can see crowded levels; they can be used against the crowd.",
    "CONTEXT": "Spot demand, ETF flows and macro news dominate direction and are not in the map.",
    "ADVICE": "Information, not advice.",
    "LAST_PRICE": "Swept with last prices: venues liquidate at the mark price.",
    "SHIPPED": "Too few liquidations of it are known to learn from: shipped weights, all of it is prior.",
    "SIMULATED": "Simulated market, not real data.",
}
_NAMES_SHOWN = 4


def stamps(picture: LiquidationMap | Heatmap) -> list[str]:
    """Return source, window, instant, reading, model and coverage, one short phrase each."""
    inputs = picture.inputs
    phrases = [_source(inputs, picture), _window(inputs), f"as of {instant(picture.as_of_ns)}"]
    if (age := _age(inputs, picture.as_of_ns)) is not None:
        phrases.append(age)
    phrases += [reading(picture), f"model {picture.model}", *_coverage(picture)]
    if picture.filters:
        phrases.append("filtered: " + ", ".join(f"{name} {value}" for name, value in picture.filters.items()))
    if inputs:
        phrases.append(f"inputs {'+'.join(i.sha256[:8] for i in inputs[:_NAMES_SHOWN])}")
    return phrases


def caveats(codes: Sequence[str], caption: Sequence[str], badge: str = UNTESTED) -> list[str]:
    """Return the caveat sentences: POTENTIAL always, the map's codes, UNTESTED where the badge is, then the caller's own lines.

    A caption line that opens with a code replaces the text of that code; a code without a text of its own stands alone.
    """
    said = {line.split(maxsplit=1)[0].rstrip(":") for line in caption if line.strip()}
    untested = badge.startswith(UNTESTED)
    ordered: dict[str, None] = dict.fromkeys(("POTENTIAL", *codes, *([UNTESTED] if untested else [])))
    own = [f"{code} {CAVEATS[code]}" if code in CAVEATS else code for code in ordered if code not in said]
    return [*own, *(line.strip() for line in caption if line.strip())]


def instant(ns: int) -> str:
    """Write an instant as people read it: `2026-01-30 22:55:00Z`."""
    return iso(ns).replace("T", " ")


def price_text(price: float) -> str:
    """Write a price without idle zeros: `85,000`, `84,178.9`, `0.0123`."""
    text = format_price(price)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent_text(fraction: float) -> str:
    """Write a distance with as many decimals as it needs, at most two; number and sign stay on one line."""
    decimals = next((d for d in (0, 1) if abs(round(fraction * 100.0, d) - fraction * 100.0) < 1e-9), 2)
    return format_percent(fraction, decimals=decimals).replace(" ", "\N{NO-BREAK SPACE}")


def reading(picture: LiquidationMap | Heatmap) -> str:
    """Say which dollars are drawn."""
    if picture.reading is Reading.PUBLISHED:
        return "dollars as published"
    share = picture.reported_share if isinstance(picture, LiquidationMap) else None
    return (
        f"dollars estimated true (published / {share[0]:g} [{share[1]:g} to {share[2]:g}])" if share else "dollars estimated true"
    )


def name_of(picture: LiquidationMap | Heatmap) -> str:
    """Return the name that was asked for, and what it stood for if that is one other name."""
    names = [str(i.instrument) for i in picture.inputs]
    return f"{picture.asked} ({names[0]})" if len(names) == 1 and names[0] != picture.asked else picture.asked


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    rest = len(unique) - _NAMES_SHOWN
    return ", ".join(unique[:_NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _source(inputs: Sequence[Inputs], picture: LiquidationMap | Heatmap) -> str:
    kind = "mark" if picture.price_kind is PriceKind.MARK else "last-price"
    interval = f"{format_duration(inputs[0].bar_interval_ns)} " if inputs else ""
    bars = f"{interval}{kind} bars of {_listed([str(i.instrument) for i in inputs])}" if inputs else f"{kind} bars"
    venues = _listed([venue for i in inputs for venue in i.venues])
    prefix = "source: simulated market, " if picture.simulated else "source: "
    if not venues:
        return f"{prefix}{bars}, no liquidation feed"
    complete = all(i.completeness is Completeness.ALL for i in inputs)
    return f"{prefix}{bars}, {'' if complete else 'throttled '}liquidations of {venues}"


def _window(inputs: Sequence[Inputs]) -> str:
    if not inputs:
        return "window unknown"
    first, last = min(i.window_from_ns for i in inputs), max(i.window_to_ns for i in inputs)
    return f"window {iso(first)[:10]} to {iso(last)[:10]} ({format_duration(last - first)})"


def _age(inputs: Sequence[Inputs], as_of_ns: int) -> str | None:
    if not inputs:
        return None
    age_ns = as_of_ns - min(i.last_bar_end_ns for i in inputs)
    return f"newest bar {format_duration(age_ns)} old" if age_ns > 0 else None


def _coverage(picture: LiquidationMap | Heatmap) -> list[str]:
    bars, missing = sum(i.bars for i in picture.inputs), sum(i.missing_bars for i in picture.inputs)
    # One missing bar of many must not read as complete.
    share = f"{'< 0.1 %' if missing and missing < 0.001 * (bars + missing) else format_percent(missing / max(bars + missing, 1))}"
    phrases = [f"{share if missing else 'none'} of {bars + missing:,} bars missing"] if picture.inputs else []
    if isinstance(picture, LiquidationMap):
        balance = picture.balance
        if balance.open_interest_base > 0.0:
            longs = balance.long_base / balance.open_interest_base
            shorts = balance.short_base / balance.open_interest_base
            phrases.append(f"on the map: {format_percent(longs)} of open longs, {format_percent(shorts)} of open shorts")
        if picture.outcome is not Outcome.LEARNED:
            phrases.append(picture.outcome.sentence.rstrip("."))
    return phrases
