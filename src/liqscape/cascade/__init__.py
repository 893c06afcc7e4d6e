"""What a shock does: absorption, potential, the cascade in time, live reproduction, attribution. Arrays in, arrays out.

Depends on `model` and the ground only; no clock, network or disk. Read `base` first, then `depth` and `absorption` (the
brakes), `levels` (the map), `potential` (closed form), `venues`, `dynamic` and `outcome` (in time); `probes` and `renewal` look
at now, `attribution` and `reality` at what happened.
Distances are fractions of the mark price, counted outward; dollars are USD at the level.
"""

from liqscape.cascade.absorption import (
    HORIZON_S,
    NOW,
    OCTOBER_2025,
    THIN_HOUR,
    Absorption,
    Basis,
    BookDepth,
    Part,
    Refill,
    SquareRootImpact,
    Stress,
    Withdrawal,
    absorption,
)
from liqscape.cascade.attribution import (
    Attribution,
    Discontinuity,
    Replay,
    attribute,
    discontinuity,
    speed_ratio,
)
from liqscape.cascade.base import Direction, Factor, Probability, exactly
from liqscape.cascade.depth import DepthProfile, depth_profile
from liqscape.cascade.dynamic import DynamicPaths, simulate
from liqscape.cascade.levels import levels_of, map_distance, map_levels, split
from liqscape.cascade.outcome import Cascade, Quantile, after_adl, busiest_minute_usd, fan, p_touch, quantiles, summary
from liqscape.cascade.potential import (
    Curves,
    Engine,
    Ignition,
    Run,
    StaticPaths,
    both_ways,
    curves,
    ignition,
    p_reach,
    run,
    static_paths,
)
from liqscape.cascade.probes import Momentum, bait, hour_of_week, momentum, pull, refill_seen, usual_depth
from liqscape.cascade.reality import Calibrated, Reality, calibrated, reality
from liqscape.cascade.renewal import Reproduction, generation_interval, reproduction, size_dispersion
from liqscape.cascade.venues import ForcedVenue, Physics, forced_venue

__all__ = [
    "HORIZON_S",
    "NOW",
    "OCTOBER_2025",
    "THIN_HOUR",
    "Absorption",
    "Attribution",
    "Basis",
    "BookDepth",
    "Calibrated",
    "Cascade",
    "Curves",
    "DepthProfile",
    "Direction",
    "Discontinuity",
    "DynamicPaths",
    "Engine",
    "Factor",
    "ForcedVenue",
    "Ignition",
    "Momentum",
    "Part",
    "Physics",
    "Probability",
    "Quantile",
    "Reality",
    "Refill",
    "Replay",
    "Reproduction",
    "Run",
    "SquareRootImpact",
    "StaticPaths",
    "Stress",
    "Withdrawal",
    "absorption",
    "after_adl",
    "attribute",
    "bait",
    "both_ways",
    "busiest_minute_usd",
    "calibrated",
    "curves",
    "depth_profile",
    "discontinuity",
    "exactly",
    "fan",
    "forced_venue",
    "generation_interval",
    "hour_of_week",
    "ignition",
    "levels_of",
    "map_distance",
    "map_levels",
    "momentum",
    "p_reach",
    "p_touch",
    "pull",
    "quantiles",
    "reality",
    "refill_seen",
    "reproduction",
    "run",
    "simulate",
    "size_dispersion",
    "speed_ratio",
    "split",
    "static_paths",
    "summary",
    "usual_depth",
]
