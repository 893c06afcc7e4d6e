"""Caveats: a code in every payload, a text in every view (feature F37), and which of them a reading needs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from liqscape.analytics._curves import both, share
from liqscape.clock import iso, utc_date
from liqscape.errors import BadArgument
from liqscape.model.maps import Heatmap, LiquidationMap, Outcome, left_out_by_reason
from liqscape.model.sides import Completeness, PriceKind

_PRIOR_WITHIN = 0.20  # the widest default window
_LATE_BARS = 2  # stale after twice the cadence
_LATE_OPEN_INTEREST_NS = 3_600_000_000_000


class CaveatCode(StrEnum):
    """Codes, most important first: this is the order in which they are shown."""

    SIMULATED = "SIMULATED"
    STALE = "STALE"
    FILTERED = "FILTERED"
    SHIPPED = "SHIPPED"
    LAST_PRICE = "LAST_PRICE"
    POTENTIAL = "POTENTIAL"
    UNTESTED = "UNTESTED"
    WINDOW = "WINDOW"
    PRIOR = "PRIOR"
    MODEL = "MODEL"
    THROTTLED = "THROTTLED"
    EXPIRES = "EXPIRES"
    BASELINE = "BASELINE"
    DEPTH = "DEPTH"
    SEEN = "SEEN"
    CONTEXT = "CONTEXT"
    RECOMPUTED = "RECOMPUTED"
    ADVICE = "ADVICE"


TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "POTENTIAL": "Where forced orders would sit, not where price must go.",
        "WINDOW": "Depends on the window; over all distances longs = shorts = open interest.",
        "MODEL": "Modelled from public data; only on-chain venues show positions.",
        "PRIOR": "{x} % of this number is assumption, not data.",
        "EXPIRES": "About {x} % of the next {h} h's liquidations come from positions open now.",
        "DEPTH": "Uses the book of {time}, refill {r}; stressed books were over 90 % thinner.",
        "THROTTLED": "Binance and OKX publish at most one order a second: lower bounds.",
        "BASELINE": "With no map at all the odds are {x} %.",
        "UNTESTED": "No out-of-sample record yet.",
        "SEEN": "Everyone can see crowded levels; they can be used against the crowd.",
        "CONTEXT": "Spot demand, ETF flows and macro news dominate direction and are not in the map.",
        "STALE": "Newest input is from {time}: older than it should be.",
        "FILTERED": "Filtered ({filters}): what was left out is not counted.",
        "RECOMPUTED": "Rebuilt with {model} from stored rows, not recorded live.",
        "ADVICE": "Information, not advice.",
        "LAST_PRICE": "Swept with last prices: venues liquidate at the mark price.",
        "SHIPPED": "Too few liquidations of it are known to learn from: shipped weights of {origin}; all of it is prior.",
        "SIMULATED": "Simulated market, not real data.",
    }
)
# What is said when the number that belongs into a text is not known.
_UNKNOWN_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "SHIPPED": "Too few liquidations of it are known to learn from: shipped weights, all of it is prior.",
        "PRIOR": "How much of this number is assumption and not data is not known.",
        "EXPIRES": "Part of the next hours' liquidations comes from positions not open yet; the share was not measured here.",
        "DEPTH": "No order book of this time is stored: an impact law stands in; stressed books were over 90 % thinner.",
        "BASELINE": "The odds with no map at all are not known: too little price history.",
        "STALE": "An input is older than it should be.",
        "FILTERED": "Filtered: what was left out is not counted.",
        "RECOMPUTED": "Rebuilt from stored rows, not recorded live.",
    }
)

# Codes that a reading always carries; conditions add to them in `caveats_for`.
_READINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "now": ("POTENTIAL", "UNTESTED", "WINDOW", "MODEL", "PRIOR", "EXPIRES", "CONTEXT", "ADVICE"),
        "map": ("POTENTIAL", "UNTESTED", "MODEL", "PRIOR", "EXPIRES", "ADVICE"),
        "ladder": ("POTENTIAL", "UNTESTED", "MODEL", "PRIOR", "EXPIRES", "ADVICE"),
        "heatmap": ("POTENTIAL", "UNTESTED", "MODEL", "ADVICE"),
        "asymmetry": ("POTENTIAL", "UNTESTED", "WINDOW", "MODEL", "PRIOR", "EXPIRES", "ADVICE"),
        "tilt": ("POTENTIAL", "UNTESTED", "MODEL", "PRIOR", "CONTEXT", "ADVICE"),
        "move-to": ("POTENTIAL", "UNTESTED", "MODEL", "PRIOR", "BASELINE", "ADVICE"),
        "zones": ("POTENTIAL", "UNTESTED", "MODEL", "PRIOR", "BASELINE", "SEEN", "ADVICE"),
        "fuel": ("POTENTIAL", "UNTESTED", "MODEL", "ADVICE"),
        "liquidations": ("ADVICE",),
        "cascade": ("POTENTIAL", "UNTESTED", "MODEL", "PRIOR", "DEPTH", "SEEN", "CONTEXT", "ADVICE"),
        "calc": ("POTENTIAL", "MODEL", "ADVICE"),
    }
)


class Caveat(Struct, frozen=True, kw_only=True):
    """A code for programs and its sentence for people."""

    code: str
    text: str


def sentence(code: str, facts: Mapping[str, str] | None = None) -> str:
    """Return the text of a caveat with its gaps filled.

    Parameters
    ----------
    code
        One of `CaveatCode`.
    facts
        What goes into `{x}`, `{h}`, `{time}`, `{r}`, `{model}`, `{filters}`, as it is to be read. If one that the text needs
        is missing, the text says that the number is not known.

    Raises
    ------
    BadArgument
        If there is no such code.

    Examples
    --------
    >>> sentence("PRIOR", {"x": "9"})
    '9 % of this number is assumption, not data.'
    """
    if code not in TEXTS:
        raise BadArgument(f"caveat: expected one of {', '.join(TEXTS)}, received {code!r}", hint="Codes are in capitals.")
    try:
        return TEXTS[code].format_map(facts or {})
    except KeyError:
        return _UNKNOWN_TEXTS[code]


def caveats_for(
    reading_of: LiquidationMap | Heatmap,
    reading: str,
    *,
    prior_share: float | None = None,
    odds: float | None = None,
    survivor_share: Mapping[str, float] | None = None,
    tested: bool = False,
    book: Mapping[str, str] | None = None,
) -> tuple[Caveat, ...]:
    """Return the caveats that a reading needs, most important first.

    Parameters
    ----------
    reading_of
        The map or heatmap; codes it carries itself are kept.
    reading
        Name of the reading as at the doors: now, map, heatmap, asymmetry, move-to, zones, fuel, liquidations, cascade, calc;
        ladder and tilt, which are part of others.
    prior_share
        Fraction of the shown number that is prior; default: of the map's dollars within 20 %.
    odds
        No-map odds of the shown level, for BASELINE.
    survivor_share
        Hours as text (`4h`) to the fraction of liquidations that come from positions open now; default: the map's.
    tested
        Whether the map has an out-of-sample record; drops UNTESTED.
    book
        For DEPTH: the book's `time` and its refill `r`, as they are to be read; None: there was no book.

    Raises
    ------
    BadArgument
        If there is no such reading.
    """
    if reading not in _READINGS:
        raise BadArgument(
            f"reading: expected one of {', '.join(_READINGS)}, received {reading!r}", hint="Use the command's name."
        )
    codes = {*_READINGS[reading], *_conditional(reading_of, reading), *reading_of.caveats}
    codes -= {"UNTESTED"} if tested else set()
    if prior_share is None and isinstance(reading_of, LiquidationMap):
        prior_share = _map_prior_share(reading_of)
    if survivor_share is None and isinstance(reading_of, LiquidationMap):
        survivor_share = reading_of.survivor_share
    if prior_share == 0.0:
        codes.discard("PRIOR")
    order = [str(code) for code in CaveatCode]
    unknown = sorted(codes - set(order))
    texts = _facts(reading_of, prior_share, odds, survivor_share) | ({} if book is None else {"DEPTH": dict(book)})
    known = [Caveat(code=code, text=sentence(code, texts.get(code))) for code in order if code in codes]
    if reading_of.left_out:
        late = _late(reading_of) or "STALE" in reading_of.caveats
        known = [
            Caveat(code=c.code, text=_left_out(reading_of, c.text if late else "")) if c.code == "STALE" else c for c in known
        ]
    # A code that another room added and that has no text here is kept, never lost.
    return (*known, *(Caveat(code=code, text=code) for code in unknown))


def _conditional(reading_of: LiquidationMap | Heatmap, reading: str) -> set[str]:
    """Return the codes that follow from what the map was built from."""
    inputs = reading_of.inputs
    shipped = isinstance(reading_of, LiquidationMap) and reading_of.outcome is Outcome.SHIPPED
    conditions = {
        "SIMULATED": reading_of.simulated,
        "STALE": bool(_late(reading_of) or reading_of.left_out),
        "FILTERED": bool(reading_of.filters),
        "SHIPPED": shipped or any(each.weights.source == "shipped" for each in inputs),
        "LAST_PRICE": reading != "liquidations" and reading_of.price_kind is PriceKind.LAST,
        "THROTTLED": any(each.completeness is not Completeness.ALL for each in inputs) and not reading_of.simulated,
        "RECOMPUTED": not all(each.recorded for each in inputs),
    }
    return {code for code, applies in conditions.items() if applies}


def _late(reading_of: LiquidationMap | Heatmap) -> bool:
    """Whether an input was older at `as_of` than it should have been."""
    return any(
        reading_of.as_of_ns - each.last_bar_end_ns > _LATE_BARS * each.bar_interval_ns
        or (each.last_open_interest_ns is not None and reading_of.as_of_ns - each.last_open_interest_ns > _LATE_OPEN_INTEREST_NS)
        for each in reading_of.inputs
    )


def _left_out(reading_of: LiquidationMap | Heatmap, text: str) -> str:
    """Name every instrument that is not in the map, with the reason; `text` comes first."""
    named = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in left_out_by_reason(reading_of.left_out).items())
    return f"{text} LEFT OUT {named}.".strip()


def _facts(
    reading_of: LiquidationMap | Heatmap,
    prior_share: float | None,
    odds: float | None,
    survivor_share: Mapping[str, float] | None,
) -> dict[str, dict[str, str]]:
    """Return what fills the gaps, by code; what is not known is absent."""
    facts: dict[str, dict[str, str]] = {"RECOMPUTED": {"model": reading_of.model}}
    if prior_share is not None:
        facts["PRIOR"] = {"x": _percent(prior_share)}
    if odds is not None:
        facts["BASELINE"] = {"x": _percent(odds)}
    if survivor_share:
        hours = "4h" if "4h" in survivor_share else next(iter(survivor_share))
        facts["EXPIRES"] = {"x": _percent(survivor_share[hours]), "h": hours.removesuffix("h")}
    if reading_of.filters:
        facts["FILTERED"] = {"filters": ", ".join(f"{name} {value}" for name, value in sorted(reading_of.filters.items()))}
    shipped = [i.weights for i in reading_of.inputs if i.weights.source == "shipped"]
    if shipped and shipped[0].score is not None and shipped[0].from_ns is not None and shipped[0].to_ns is not None:
        one = shipped[0]
        window = f"{utc_date(shipped[0].from_ns)} to {utc_date(shipped[0].to_ns)}"
        facts["SHIPPED"] = {"origin": f"{one.instrument}, {window} ({one.score})"}
    if reading_of.inputs:
        stamps = [min(i.last_bar_end_ns, i.last_open_interest_ns or i.last_bar_end_ns) for i in reading_of.inputs]
        facts["STALE"] = {"time": iso(min(stamps))}
    return facts


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.0f}"


def _map_prior_share(liquidation_map: LiquidationMap) -> float | None:
    regions = [curve.between(0.0, min(_PRIOR_WITHIN, curve.reach)) for curve in both(liquidation_map)]
    return share(sum(region.prior_usd for region in regions), sum(region.usd for region in regions))
