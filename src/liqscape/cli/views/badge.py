"""What the record of a map changes in every view of it: badge, caveats, meta."""

from __future__ import annotations

from typing import Any

from liqscape.analytics import caveats_for
from liqscape.analytics.caveats import Caveat
from liqscape.api.envelope import Meta, meta_of
from liqscape.cli.question import Question
from liqscape.cli.screen import DIM, WARN
from liqscape.engine.verdict import OFF, UNTESTED, Badge
from liqscape.model.maps import Heatmap, LiquidationMap


def badge_style(badge: Badge) -> str:
    """Return the style of a badge: a record that is off or stale stands out."""
    return WARN if badge.state == OFF or badge.stale is not None else DIM


def badge_text(badge: Badge) -> str:
    """Write a badge as it stands in a view: `[WEAK lift 1.01 [0.97-1.04], 41 d]`."""
    return f"[{badge.text}]"


def caveats_of(question: Question, found: LiquidationMap | Heatmap, reading: str, **facts: Any) -> tuple[Caveat, ...]:
    """Return the caveats of a view; UNTESTED only where no record speaks for the map. `facts` as in `caveats_for`."""
    return caveats_for(found, reading, tested=question.badge(found).has_record, **facts)


def meta(question: Question, found: LiquidationMap | Heatmap, caveats: tuple[Caveat, ...]) -> Meta:
    """Return the meta of a view."""
    return meta_of(found, caveats, badge=question.badge(found), seen_from_ns=question.seen_from_ns(found.as_of_ns))


def why(badge: Badge) -> str:
    """Say in one line why a badge is what it is."""
    reasons = "; ".join(badge.reasons) or ("no verdict is stored" if badge.state == UNTESTED else "")
    return f"{reasons}; {badge.stale}" if badge.stale else reasons
