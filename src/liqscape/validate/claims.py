"""The two claims about price, judged together as registered: attraction before a touch, acceleration after it."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from msgspec import Struct

from liqscape.errors import NoData
from liqscape.estimate import MODEL
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import IntArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.acceleration import Acceleration, Measure, acceleration
from liqscape.validate.bootstrap import holm
from liqscape.validate.claims_windows import Windows, claim_windows
from liqscape.validate.frozen import FrozenMaps, freeze
from liqscape.validate.magnet import ALPHA, LEVEL, Magnet, magnet
from liqscape.validate.null_size import null_sizes

HORIZONS_H = (1, 4, 24)
PRIMARY_H = 4
MINUTES = (5, 15, 30, 60)
PRIMARY_MINUTES = 15
MAPS_FROM_D, WINDOWS_FROM_D = 7, 30  # days of record before maps teach the distance trend, and before windows begin
_CALM_SHARE = 0.95  # of days that are left when the most volatile are dropped


class Verdict(StrEnum):
    """What a primary claim came to, after Holm, at 5 %."""

    FOUND = "found"
    OPPOSITE = "opposite"
    NOT_FOUND = "not found"


class MagnetCard(Struct, frozen=True, kw_only=True):
    """The registered test of attraction in short (feature F23).

    Parameters
    ----------
    from_ns, to_ns
        Days that were tested, [from_ns, to_ns).
    beta, lo, hi, level
        Log-odds of a touch per standard deviation of mass, with its interval and the interval's level.
    p, p_holm
        By permuting whole-day maps, and corrected for the two primary claims.
    size, size_markets
        How often the test rejects at 5 % where there is nothing to find, and on how many simulated markets that was seen.
    smallest_drift, smallest_beta
        What would be found in 80 % of cases; the drift is towards the level, in sigma * sqrt(H) per window.
    touched_level, touched_mirror, expected
        Fractions of windows; `expected` is what a price without memory would do.
    """

    instrument: str
    model: str
    from_ns: int
    to_ns: int
    horizon_h: float
    windows: int
    days: int
    beta: float
    lo: float
    hi: float
    level: float
    p: float
    p_holm: float
    size: float
    size_markets: int
    smallest_drift: float | None
    smallest_beta: float | None
    touched_level: float
    touched_mirror: float
    expected: float
    verdict: Verdict
    sentence: str


class Variant(Struct, frozen=True, kw_only=True):
    """A registered sensitivity: both primary tests once more."""

    name: str
    magnet: Magnet
    acceleration: Acceleration


class Claims(Struct, frozen=True, kw_only=True):
    """Everything that was registered to be reported.

    Parameters
    ----------
    magnets
        By horizon; the primary one is that of 4 h.
    accelerations
        By measure and minutes; the primary one is the run over 15 minutes.
    p_holm
        Of the two primary claims (attraction, acceleration).
    q_values
        Benjamini-Hochberg over all secondary tests, by name.
    """

    instrument: str
    model: str
    from_ns: int
    to_ns: int
    magnets: tuple[Magnet, ...]
    accelerations: tuple[Acceleration, ...]
    p_holm: tuple[float, float]
    q_values: dict[str, float]
    variants: tuple[Variant, ...]

    @property
    def attraction(self) -> Magnet:
        """The primary test of attraction."""
        return next(m for m in self.magnets if m.horizon_h == PRIMARY_H)

    @property
    def speeding_up(self) -> Acceleration:
        """The primary test of acceleration."""
        return next(a for a in self.accelerations if a.measure is Measure.RUN and a.minutes == PRIMARY_MINUTES)


def hourly_maps(bars: BarSeries, liquidations: LiquidationSeries) -> FrozenMaps:
    """Freeze a map at every full hour from the eighth day of open interest on.

    Raises
    ------
    NoData
        If open interest is known for no more than a week.
    """
    known = np.flatnonzero(bars.open_interest_base > 0.0)
    begin = int(bars.end_ns[known[0]]) + MAPS_FROM_D * NS_PER_DAY if known.size else 0
    first, last = -(-begin // NS_PER_HOUR), int(bars.end_ns[-1]) // NS_PER_HOUR
    if known.size == 0 or last <= first:
        raise NoData("claims: open interest is known for no more than a week", hint="Import a longer record.")
    at: IntArray = np.arange(first, last, dtype=np.int64) * NS_PER_HOUR
    return freeze(bars, liquidations, at)


def default_from_ns(bars: BarSeries) -> int:
    """Return the first whole UTC day after thirty days of record, ns UTC."""
    return -(-(int(bars.start_ns[0]) + WINDOWS_FROM_D * NS_PER_DAY) // NS_PER_DAY) * NS_PER_DAY


def magnet_card(
    bars: BarSeries,
    liquidations: LiquidationSeries,
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    permutations: int = 999,
) -> MagnetCard:
    """Run the registered primary tests on an instrument and return the card of the first.

    Raises
    ------
    NoData
        If the record holds fewer than 6 whole days after its first thirty.
    """
    low = default_from_ns(bars) if from_ns is None else from_ns
    windows = claim_windows(bars, hourly_maps(bars, liquidations), PRIMARY_H * NS_PER_HOUR, from_ns=low, to_ns=to_ns)
    found = magnet(windows, permutations=permutations, controls=False)
    after = acceleration(bars, windows, minutes=PRIMARY_MINUTES, permutations=permutations)
    return card_of(found, float(holm(np.array([found.p, after.p]))[0]), windows, str(bars.instrument))


def card_of(found: Magnet, p_holm: float, windows: Windows, instrument: str) -> MagnetCard:
    """Put a test, its size and its verdict on a card."""
    sizes = null_sizes()
    size = sizes.tests[f"magnet {found.horizon_h:g} h"]
    verdict = verdict_of(found.beta, p_holm)
    return MagnetCard(
        instrument=instrument,
        model=MODEL,
        from_ns=int(windows.at_ns[0]),
        to_ns=int(windows.at_ns[-1]) + windows.horizon_ns,
        horizon_h=found.horizon_h,
        windows=found.windows,
        days=found.days,
        beta=found.beta,
        lo=found.lo,
        hi=found.hi,
        level=LEVEL,
        p=found.p,
        p_holm=p_holm,
        size=size.rejected,
        size_markets=size.markets,
        smallest_drift=found.smallest_drift,
        smallest_beta=found.smallest_beta,
        touched_level=found.touched_level,
        touched_mirror=found.touched_mirror,
        expected=found.expected,
        verdict=verdict,
        sentence=_sentence(found, verdict),
    )


def verdict_of(effect: float, p_holm: float) -> Verdict:
    """Name the outcome of a primary claim."""
    if p_holm > ALPHA:
        return Verdict.NOT_FOUND
    return Verdict.FOUND if effect > 0.0 else Verdict.OPPOSITE


def _sentence(found: Magnet, verdict: Verdict) -> str:
    touched = f"dense levels were touched in {found.touched_level:.1%} of windows, their mirrors in {found.touched_mirror:.1%}"
    touched = touched.replace("%", " %")
    if verdict is Verdict.NOT_FOUND:
        drift = found.smallest_drift
        would = "no drift that was tried would have been seen in so few windows"
        if drift is not None:
            deviations = f"{drift:.2f} standard deviations of a {found.horizon_h:g} h return"
            would = f"a drift towards them of {deviations} would have been seen 4 times in 5"
        return f"No attraction found: {touched}; {would}."
    way = "more" if verdict is Verdict.FOUND else "less"
    return f"Denser levels were touched {way} often than their mirrors: {touched}."


def judge_claims(
    bars: BarSeries,
    liquidations: LiquidationSeries,
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    later_ns: int | None = None,
    permutations: int = 4_999,
) -> Claims:
    """Run every registered test.

    Parameters
    ----------
    from_ns, to_ns
        Whole days that are tested; default: after thirty days of record, and to its end.
    later_ns
        Begin of the shorter stretch of sensitivity (b); None leaves it out.
    permutations
        Also the number of bootstrap draws.
    """
    maps = hourly_maps(bars, liquidations)
    low = default_from_ns(bars) if from_ns is None else from_ns
    cut = {h: claim_windows(bars, maps, h * NS_PER_HOUR, from_ns=low, to_ns=to_ns) for h in HORIZONS_H}
    primary = cut[PRIMARY_H]
    magnets = tuple(magnet(windows, permutations=permutations) for windows in cut.values())
    accelerations = tuple(
        acceleration(bars, primary, minutes=minutes, measure=measure, permutations=permutations)
        for measure in Measure
        for minutes in MINUTES
    )
    selected = {"(a) densest zone with the distance trend": (primary, True)}
    if later_ns is not None:
        selected["(b) the later windows"] = (primary.of_days(primary.at_ns[:: primary.per_day] >= later_ns), False)
    calm = primary.strata(primary.days) < round(_CALM_SHARE * primary.days)
    selected["(c) without the most volatile day in twenty"] = (primary.of_days(calm), False)
    variants = tuple(
        Variant(
            name=name,
            magnet=magnet(windows, permutations=permutations, raw=raw, controls=False),
            acceleration=acceleration(bars, windows, minutes=PRIMARY_MINUTES, permutations=permutations, raw=raw),
        )
        for name, (windows, raw) in selected.items()
    )
    secondary = _secondary(magnets, accelerations)
    first = next(m for m in magnets if m.horizon_h == PRIMARY_H)
    second = next(a for a in accelerations if a.measure is Measure.RUN and a.minutes == PRIMARY_MINUTES)
    corrected = holm(np.array([first.p, second.p]))
    return Claims(
        instrument=str(bars.instrument),
        model=MODEL,
        from_ns=int(primary.at_ns[0]),
        to_ns=int(primary.at_ns[-1]) + primary.horizon_ns,
        magnets=magnets,
        accelerations=accelerations,
        p_holm=(float(corrected[0]), float(corrected[1])),
        q_values=dict(zip(secondary, benjamini_hochberg(list(secondary.values())), strict=True)),
        variants=variants,
    )


def _secondary(magnets: tuple[Magnet, ...], accelerations: tuple[Acceleration, ...]) -> dict[str, float]:
    """Return the p-values of everything that is no primary claim, by name."""
    found = {f"magnet {m.horizon_h:g} h": m.p for m in magnets if m.horizon_h != PRIMARY_H}
    for m in magnets:
        controls = {"mirror": m.mirror, "matched": m.matched, "round price": m.round_price}
        found |= {f"{name} {m.horizon_h:g} h": control.p for name, control in controls.items() if control is not None}
    return found | {
        f"{a.measure} {a.minutes:g} min": a.p
        for a in accelerations
        if a.measure is not Measure.RUN or a.minutes != PRIMARY_MINUTES
    }


def benjamini_hochberg(p: list[float]) -> list[float]:
    """Return q-values: the share of false findings if everything at least as small is called found.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5])
    [0.04, 0.05333333333333334, 0.05333333333333334, 0.5]
    """
    order = sorted(range(len(p)), key=p.__getitem__, reverse=True)
    out, running = [0.0] * len(p), 1.0
    for rank, i in enumerate(order):
        running = min(running, p[i] * len(p) / (len(p) - rank))
        out[i] = running
    return out
