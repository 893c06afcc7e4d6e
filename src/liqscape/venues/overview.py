"""The adapters' facts as tables of text, for the pages of the documentation and whoever else lists them."""

from __future__ import annotations

from collections.abc import Iterable

from liqscape.model import Kind
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.base import Bucket, Facts
from liqscape.venues.registry import VENUES

Rows = list[tuple[str, ...]]

# In the order in which people ask; `trades` and `positions` are told where they are used.
_SHOWN = (
    (Kind.LIQUIDATIONS, "liquidations"),
    (Kind.BARS, "bars"),
    (Kind.MARK_BARS, "mark bars"),
    (Kind.TICKERS, "mark, index, open interest"),
    (Kind.OPEN_INTEREST, "history of open interest"),
    (Kind.FUNDING, "funding"),
    (Kind.RATIOS, "ratios"),
    (Kind.DEPTH, "books"),
    (Kind.TIERS, "tiers"),
    (Kind.POSITIONS, "positions"),
)


def all_facts() -> list[Facts]:
    """Return the facts of every adapter, by title."""
    return sorted((venue.facts for venue in VENUES.values()), key=lambda facts: facts.title.lower())


def capabilities() -> Rows:
    """Return which kind of data each adapter gives: `live` by socket, `asked` by request, `both`."""
    head = ("venue", "adapter", *(name for _, name in _SHOWN))

    def told(facts: Facts, kind: Kind) -> str:
        live, asked = kind in facts.streams, kind in facts.asks
        return "both" if live and asked else "live" if live else "asked" if asked else "-"

    return [head, *((facts.title, f"`{facts.key}`", *(told(facts, kind) for kind, _ in _SHOWN)) for facts in all_facts())]


def feeds() -> Rows:
    """Return what each liquidation feed shows, and how far back prints can be had again."""

    def back(facts: Facts) -> str:
        if Kind.LIQUIDATIONS not in facts.asks:
            return "-"
        history_ns = facts.history_ns.get(Kind.LIQUIDATIONS)
        return "to the launch" if history_ns is None else length(history_ns)

    rows = [
        (facts.title, str(facts.completeness), facts.completeness_note, back(facts))
        for facts in all_facts()
        if Kind.LIQUIDATIONS in facts.streams | facts.asks
    ]
    return [("venue", "shows", "since when and what", "asked again"), *rows]


def limits() -> Rows:
    """Return each adapter's request budgets and the histories that end before the launch."""

    def bucket(name: str, each: Bucket) -> str:
        return f"{name} {each.capacity:g} in {each.per_s:g} s"

    def histories(facts: Facts) -> str:
        told = [f"{str(kind).replace('_', ' ')} {length(ns)}" for kind, ns in sorted(facts.history_ns.items())]
        step = facts.open_interest_interval_ns
        return ", ".join([*told, *([f"open interest every {length(step)}"] if step else [])]) or "-"

    rows = [
        (facts.title, ", ".join(bucket(name, each) for name, each in facts.buckets.items()), histories(facts))
        for facts in all_facts()
    ]
    return [("venue", "budget", "history that ends"), *rows]


def doubts() -> Rows:
    """Return what is unverified of each venue, and how the running program would notice."""
    rows = [(facts.title, doubt.what, doubt.check) for facts in all_facts() for doubt in facts.doubts]
    return [("venue", "assumed", "checked by"), *rows]


def length(ns: int) -> str:
    """Write a length of time in the largest unit that keeps it short.

    Examples
    --------
    >>> length(7 * NS_PER_DAY), length(NS_PER_DAY), length(5 * NS_PER_MINUTE), length(3 * NS_PER_DAY + 11 * NS_PER_HOUR)
    ('7 days', '24 h', '5 min', '3.46 days')
    """
    if ns >= 2 * NS_PER_DAY:
        return f"{ns / NS_PER_DAY:.3g} days"
    return f"{ns / NS_PER_HOUR:.3g} h" if ns >= NS_PER_HOUR else f"{ns / NS_PER_MINUTE:.3g} min"


def markdown(rows: Iterable[tuple[str, ...]]) -> str:
    """Write a table as Markdown; the first row is its head."""
    first, *others = rows
    lines = [first, tuple("---" for _ in first), *others]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
