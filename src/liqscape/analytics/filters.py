"""A map with something left out on request (features F38, F44). Filtered numbers say so: `filters` and the caveat FILTERED."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import LiquidationMap, SideLevels
from liqscape.model.sides import PositionSide

_RANGE = re.compile(r"\s*(\d+(?:\.\d+)?)?\s*-\s*(\d+(?:\.\d+)?)?\s*")


def filter_map(
    liquidation_map: LiquidationMap,
    *,
    side: PositionSide | str | None = None,
    leverage: str | None = None,
    min_usd: float | None = None,
) -> LiquidationMap:
    """Return the map without what does not pass; nothing that passes is changed.

    Parameters
    ----------
    side
        Keep this side only.
    leverage
        Keep distance tiers by effective leverage 1 / d: `10-50` keeps 10 <= 1 / d < 50, `10-` and `-50` are open, `all` keeps
        everything. Classes that share no edge, such as `-10`, `10-50` and `50-`, add up to the whole.
    min_usd
        Keep buckets (0.1 % of price) that hold at least this, after the other filters.

    Returns
    -------
    LiquidationMap
        Its `filters` name what was asked, its caveats begin with FILTERED. The balance of contracts is that of the whole map.

    Raises
    ------
    BadArgument
        If the side, the leverage range or the dollars make no sense.

    Notes
    -----
    The ensemble is kept per bucket and not per tier, so a leverage filter scales each bucket's draws by the share of it that
    passes.
    """
    asked: dict[str, str] = {}
    short, long = liquidation_map.short, liquidation_map.long
    if leverage is not None and leverage.strip().lower() != "all":
        kept = _tiers_kept(liquidation_map.tiers, leverage)
        short, long = _keep_tiers(short, kept), _keep_tiers(long, kept)
        asked["leverage"] = leverage.strip()
    if side is not None and (kept_side := _side(side)) is not None:
        short = short if kept_side is PositionSide.SHORT else _scaled(short, np.zeros_like(short.usd))
        long = long if kept_side is PositionSide.LONG else _scaled(long, np.zeros_like(long.usd))
        asked["side"] = str(kept_side)
    if min_usd is not None:
        if not (math.isfinite(min_usd) and min_usd >= 0.0):
            raise BadArgument(f"min_usd: expected USD >= 0, received {min_usd:g}", hint="Write it like 1M.")
        short, long = (_scaled(levels, (levels.usd >= min_usd).astype(np.float64)) for levels in (short, long))
        asked["min_usd"] = f"{min_usd:.15g}"
    if not asked:
        return liquidation_map
    return replace(
        liquidation_map,
        short=short,
        long=long,
        filters={**liquidation_map.filters, **asked},
        caveats=("FILTERED", *(code for code in liquidation_map.caveats if code != "FILTERED")),
    )


def parse_leverage(text: str) -> tuple[float, float]:
    """Read `10-50`, `10-` or `-50` into the bounds of the effective leverage; an open end is 0 or infinity.

    Raises
    ------
    BadArgument
        If the text is no range or holds nothing.
    """
    match = _RANGE.fullmatch(text.lower().replace("x", ""))
    low, high = (match[1], match[2]) if match is not None else (None, None)
    bounds = (float(low) if low else 0.0, float(high) if high else math.inf)
    if (low is None and high is None) or not bounds[0] < bounds[1]:
        raise BadArgument(f"leverage: expected a range such as 10-50, received {text!r}", hint="Open ends: 10- or -50.")
    return bounds


def _side(side: PositionSide | str) -> PositionSide | None:
    """Read a side; `both` keeps everything."""
    text = str(side).strip().lower()
    if text == "both":
        return None
    try:
        return PositionSide(text)
    except ValueError:
        raise BadArgument(f"side: expected long, short or both, received {side!r}", hint="Shorts stand above the mark.") from None


def _tiers_kept(tiers: FloatArray, leverage: str) -> FloatArray:
    """Return float64[tiers], 1 for the tiers whose 1 / d lies in the range."""
    low, high = parse_leverage(leverage)
    effective = 1.0 / tiers
    return ((effective >= low) & (effective < high)).astype(np.float64)


def _keep_tiers(levels: SideLevels, kept: FloatArray) -> SideLevels:
    """Keep some tiers; what has no tiers of its own keeps its share of each bucket."""
    tier_usd = levels.tier_usd * kept[:, None]
    usd = tier_usd.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(levels.usd > 0.0, usd / levels.usd, 0.0)
    return replace(_scaled(levels, part), usd=usd, tier_usd=tier_usd)


def _scaled(levels: SideLevels, part: FloatArray) -> SideLevels:
    """Multiply every quantity of each bucket by float64[n]; an emptied bucket has no age."""
    return replace(
        levels,
        usd=levels.usd * part,
        base=levels.base * part,
        prior_usd=levels.prior_usd * part,
        age_s=np.where(part > 0.0, levels.age_s, np.nan),
        tier_usd=levels.tier_usd * part,
        class_usd=levels.class_usd * part,
        draws_usd=levels.draws_usd * part,
        prior_draws_usd=levels.prior_draws_usd * part,
        measured_usd=levels.measured_usd * part,
    )
