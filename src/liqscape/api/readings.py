"""Readings: what a map says. Each takes a map, or a name and the words that `map` takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from liqscape.analytics import Asymmetry, Fuel, Ladder, MoveTo, Tilt, Zones
from liqscape.analytics import asymmetry as asymmetry_of
from liqscape.analytics import headline as headline_of
from liqscape.analytics import ladder as ladder_of
from liqscape.analytics import move_to as moves_of
from liqscape.analytics import tilt as tilt_of
from liqscape.analytics import zones as zones_of
from liqscape.api._arguments import Home, Venues, dollars, fractions, instant, venue_names, workspace
from liqscape.api.maps import map as map_of
from liqscape.clock import Instant
from liqscape.engine.fuel import build_fuel
from liqscape.engine.tape import Published, published
from liqscape.errors import BadArgument
from liqscape.model.maps import LiquidationMap
from liqscape.model.sides import PositionSide

Asked = LiquidationMap | str


def _map(asked: Asked, words: dict[str, Any]) -> LiquidationMap:
    if isinstance(asked, str):
        return map_of(asked, **words)
    if words:
        raise BadArgument(f"{', '.join(words)}: a map is already built", hint="Give these words to `map`, or give a name.")
    return asked


def asymmetry(
    asked: Asked,
    *,
    within: str | float | Iterable[str | float] = (0.01, 0.02, 0.05, 0.10, 0.20),
    range: tuple[float, float] | None = None,
    **words: Any,
) -> Asymmetry:
    """Return pools, ratio and imbalance of each distance window (F01-F04), with the shape of both sides (F08, F09).

    Parameters
    ----------
    asked
        A map, or a name; then `words` are those of `map`.
    within
        Distances from the mark: 0.02, "2%", or several.
    range
        Two prices, printed with their mirror.
    """
    return asymmetry_of(_map(asked, words), fractions(within), range)


def move_to(asked: Asked, *, usd: str | float | Iterable[str | float] | None = None, **words: Any) -> MoveTo:
    """Return how far price must go, each way, to liquidate given dollars (F05), with the odds of touching that with no map."""
    found = _map(asked, words)
    return moves_of(found) if usd is None else moves_of(found, dollars(usd))


def zones(asked: Asked, *, top: int | None = None, side: str | None = None, **words: Any) -> Zones:
    """Return runs of dense levels (F07), the largest pools first."""
    return zones_of(_map(asked, words), side=PositionSide(side) if side else None, top=top)


def tilt(asked: Asked, **words: Any) -> Tilt:
    """Return which side needs the smaller move for the same dollars (F06): its interval's sign, not a forecast."""
    return tilt_of(_map(asked, words))


def ladder(asked: Asked, *, within: float = 0.05, step: float = 0.005, **words: Any) -> Ladder:
    """Return rows outward from the mark with their running sums (F10, without depth)."""
    return ladder_of(_map(asked, words), within, step)


def headline(asked: Asked, **words: Any) -> str:
    """Return the one sentence: tilt, strongest fact, strongest counter-fact."""
    return headline_of(_map(asked, words))


def fuel(
    asked: str,
    *,
    since: Instant,
    as_of: Instant | None = None,
    within: float = 0.02,
    range: tuple[float, float] | None = None,
    venue: Venues = None,
    window: str | None = None,
    home: Home = None,
) -> tuple[Fuel, ...]:
    """Return what became of the pools that stood near price at `since` (F17); one account a side.

    Parameters
    ----------
    since
        An instant, or a length of time before `as_of` such as `24h`.
    within, range
        Reach from the mark at `since`, or two prices.
    """
    return build_fuel(
        workspace(home),
        asked,
        since=since,
        as_of_ns=instant(as_of),
        within=within,
        price_range=range,
        venues=venue_names(venue),
        window=window,
    )


def liquidations(
    asked: str, *, as_of: Instant | None = None, window: str = "7d", venue: Venues = None, home: Home = None
) -> tuple[Published, ...]:
    """Return published liquidations as they were (F36): realised, not modelled; lower bounds where feeds are throttled."""
    return published(workspace(home), asked, as_of_ns=instant(as_of), window=window, venues=venue_names(venue))
