"""The shape of `cascade` for the description of the API: its data are written from these very records."""

from __future__ import annotations

from msgspec import Struct

from liqscape.analytics import Tilt
from liqscape.cascade.absorption import Part
from liqscape.cascade.outcome import Cascade
from liqscape.cascade.potential import Ignition, Run
from liqscape.engine.cascade import Reach
from liqscape.model.maps import Estimate


class BrakePart(Part, frozen=True, kw_only=True):
    """One factor of what the market absorbs: its middle, its ends, where it comes from."""


class ReportedShare(Struct, kw_only=True):
    """Which share of forced orders the feeds show, with its ends and its source."""

    median: float
    lo: float
    hi: float
    source: str
    date: str


class IgnitionData(Ignition, frozen=True, kw_only=True):
    """What it takes to ignite a direction, with the price of it."""

    price: Estimate


class RunData(Run, frozen=True, kw_only=True):
    """How far a shock runs at once, with the price of its end."""

    end_price: Estimate


class CascadeWay(Struct, kw_only=True):
    """One direction; `timed` second by second."""

    shock_usd: float
    ignition: IgnitionData
    run: RunData
    reach: tuple[Reach, ...]
    timed: Cascade | None


class AbsorptionData(Struct, kw_only=True):
    """What the market absorbs, and what that was computed from."""

    basis: str
    basis_text: str
    book_at: str | None
    book_source: str | None
    volume_1d_usd: float | None
    volume_to: str | None
    sigma_1d: float | None
    within_1pct_usd: dict[str, Estimate]
    horizon_s: float
    parts: tuple[BrakePart, ...]
    notes: tuple[str, ...]


class RealityData(Struct, kw_only=True):
    """Runs expected of the last months against those that were seen, with the 80 % interval of the number seen."""

    expected: float
    seen: int
    lo: float
    hi: float
    consistent: bool
    no_map_expected: float
    run: float
    days: int
    hours: int
    flow: str
    sentence: str


class CascadeData(Struct, kw_only=True):
    """`cascade`: what a shock does, with the map and without it."""

    headline: str
    preset: str
    push: float | None
    seed: int
    reported_share: ReportedShare | None
    absorption: AbsorptionData
    tilt: Tilt | None
    up: CascadeWay | None
    down: CascadeWay | None
    reality_check: RealityData | None
