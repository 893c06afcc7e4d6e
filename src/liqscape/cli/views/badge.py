"""The record of a map as text shows it."""

from __future__ import annotations

from liqscape.cli.screen import DIM, WARN
from liqscape.engine.verdict import OFF, UNTESTED, Badge


def badge_style(badge: Badge) -> str:
    """Return the style of a badge: a record that is off or stale stands out."""
    return WARN if badge.state == OFF or badge.stale is not None else DIM


def badge_text(badge: Badge) -> str:
    """Write a badge as it stands in a view: `[WEAK lift 1.01 [0.97-1.04], 41 d]`."""
    return f"[{badge.text}]"


def why(badge: Badge) -> str:
    """Say in one line why a badge is what it is."""
    reasons = "; ".join(badge.reasons) or ("no verdict is stored" if badge.state == UNTESTED else "")
    return f"{reasons}; {badge.stale}" if badge.stale else reasons
