"""What forced orders do to the price: cascade and ignition, attribution of a past move, the calculator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from liqscape.api._arguments import Home, Venues, dollars, fractions, instant, venue_names, workspace
from liqscape.api.maps import map as map_of
from liqscape.cascade import Direction, curves, fan
from liqscape.cascade.base import SEED
from liqscape.clock import Instant, iso
from liqscape.engine.attribution import MoveAttribution, attribute_move
from liqscape.engine.brakes import Brakes, parse_preset
from liqscape.engine.calc import SIZE_USD, Calculation, calculate
from liqscape.engine.cascade import Cascades, OneWay, build_cascade
from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.model.maps import LiquidationMap
from liqscape.units import format_usd, parse_usd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Asked = LiquidationMap | str


def cascade(
    asked: Asked,
    *,
    shock_usd: str | float | None = None,
    push: str | float | None = None,
    preset: str = "now",
    direction: str = "both",
    funds_usd: Mapping[str, float] | None = None,
    timed: bool = True,
    seed: int = SEED,
    home: Home = None,
    **words: Any,
) -> Cascades:
    """Return what a shock does to a market, both ways, with the map and without it (F12, F13, F14).

    Parameters
    ----------
    asked
        A map, or a name; then `words` are those of `map`.
    shock_usd, push
        Dollars of outside flow (5e8, "500M"), or as much as would push the price so far ("2%") with no map; default: a push
        of 1 %.
    preset
        `now`, `thin-hour` or `2025-10-10`: how thin the market is taken to be.
    direction
        `up`, `down` or `both`.
    funds_usd
        Insurance fund by venue; without it the odds of deleveraging are not known.
    timed
        Also simulate second by second.
    seed
        Which random numbers; the same seed gives the same answer.

    Raises
    ------
    BadArgument
        If a word makes no sense, such as a negative shock.
    NoData
        If the map is empty, or there is neither a book nor volume to say what the market absorbs.
    """
    size = None if shock_usd is None else _one("shock_usd", dollars(shock_usd, "shock_usd"))
    moved = None if push is None else _one("push", fractions(push, "push"))
    thin, ways = parse_preset(preset), parse_directions(direction)
    return build_cascade(
        workspace(home),
        _map(asked, home, words),
        shock_usd=size,
        push=moved,
        preset=thin,
        directions=ways,
        funds_usd=funds_usd,
        timed=timed,
        seed=seed,
    )


def ignition(asked: Asked, *, direction: str = "both", home: Home = None, **words: Any) -> dict[str, dict[str, Any]]:
    """Return what it takes to ignite each direction (F12, F14), without a shock: odds, dollars, price, extent, engine.

    Parameters
    ----------
    asked, direction, home, words
        As in `cascade`.

    Returns
    -------
    dict
        By `up` and `down`, the part `ignition` of the cascade's JSON; unknown is None.
    """
    found, ways = _map(asked, home, words), parse_directions(direction)
    made = build_cascade(workspace(home), found, directions=ways, timed=False, checked=False)
    return {str(way): _ignition(one) for way, one in made.ways.items()}


def attribute(asked: str, *, from_: Instant, to: Instant, venue: Venues = None, home: Home = None) -> MoveAttribution:
    """Return how much of a past move was forced (F30), with an interval that is often wide.

    Parameters
    ----------
    asked
        A name that one stored instrument has.
    from_, to
        The move; at most 3 days.

    Raises
    ------
    BadArgument, NoData
        If the window makes no sense, or bars, liquidations or volume of it are not stored.
    """
    begin, end = instant(from_, "from_"), instant(to, "to")
    if begin is None or end is None:
        raise BadArgument("attribute: from_ and to: both are needed", hint="Name the beginning and the end of the move.")
    return attribute_move(workspace(home), asked, from_ns=begin, to_ns=end, venues=venue_names(venue))


def calc(
    asked: Asked,
    *,
    side: str,
    leverage: float,
    entry_price: float | None = None,
    size_usd: str | float = SIZE_USD,
    venues: Venues = None,
    home: Home = None,
    **words: Any,
) -> Calculation:
    """Return where each venue would liquidate an isolated position, and what of the map is liquidated before it (F34).

    Parameters
    ----------
    asked
        A map, or a name; then `words` are those of `map`.
    side, leverage, entry_price, size_usd
        The position; the entry is the mark price by default.
    venues
        Only these.
    """
    return calculate(
        _map(asked, home, words),
        side=parse_side(side),
        leverage=leverage,
        entry_price=entry_price,
        size_usd=_one("size_usd", dollars(size_usd, "size_usd")),
        venues=venue_names(venues),
    )


def parse_side(text: str) -> PositionSide:
    """Read `long` or `short`."""
    try:
        return PositionSide(text.lower())
    except ValueError:
        raise BadArgument(f"side: expected long or short, received {text!r}") from None


def parse_directions(text: str) -> tuple[Direction, ...]:
    """Read `up`, `down` or `both`."""
    if text.lower() == "both":
        return tuple(Direction)
    try:
        return (Direction(text.lower()),)
    except ValueError:
        raise BadArgument(f"direction: expected up, down or both, received {text!r}") from None


def parse_funds(texts: Sequence[str]) -> dict[str, float]:
    """Read `binance=1.2B` and the like: insurance fund by venue."""
    found: dict[str, float] = {}
    for text in texts:
        venue, _, usd = text.partition("=")
        try:
            found[venue.strip().lower()] = parse_usd(usd)
        except ValueError as error:
            raise BadArgument(f"fund: {error}", hint="Write it like binance=1.2B.") from None
    return found


def cascade_data(made: Cascades, sentence: str) -> dict[str, Any]:
    """Return the data of `cascade --json`."""
    check = made.reality
    return {
        "headline": sentence,
        "preset": str(made.preset),
        "push": made.push,
        "seed": made.seed,
        "reported_share": made.reported,
        "absorption": _absorption(made),
        "tilt": made.tilt,
        "up": _way(made.ways.get(Direction.UP)),
        "down": _way(made.ways.get(Direction.DOWN)),
        "reality_check": None
        if check is None
        else {
            **_plain(check.check),
            "consistent": check.check.consistent,
            "no_map_expected": check.no_map.expected,
            "run": check.run,
            "days": check.days,
            "hours": check.hours,
            "flow": check.flow,
            "sentence": check.sentence,
        },
    }


def cascade_rows(made: Cascades) -> list[dict[str, Any]]:
    """Return the table: one row per direction and distance reached."""
    return [
        {
            "direction": str(way),
            "shock_usd": one.shock_usd,
            "p_ignites": one.ignition.p_ignites.value,
            "ignition_usd": one.ignition.dollars.median,
            "ignition_price": one.ignition_price.median,
            "run": one.run.distance.median,
            "run_lo": one.run.distance.lo,
            "run_hi": one.run.distance.hi,
            "run_no_map": one.run.distance_no_map.median,
            "distance": reach.distance,
            "p_reach": reach.odds.value,
            "p_reach_error": reach.odds.error,
            "p_reach_no_map": reach.no_map.value,
            "p_reach_timed": None if reach.timed is None else reach.timed.value,
        }
        for way, one in made.ways.items()
        for reach in one.reach
    ]


def draw_cascade(
    made: Cascades,
    path: str | Path | None = None,
    *,
    badge: str = "UNTESTED",
    dark: bool = True,
    size: tuple[int, int] = (1600, 1200),
) -> Figure:
    """Draw U(x) with its bands and ignition points, the fan of prices with and without the map, forced dollars by round.

    Parameters
    ----------
    path
        Where to write it (.png or .svg); None only returns the figure.
    """
    from liqscape.plot import save
    from liqscape.plot.cascade_pictures import CascadeSide, plot_cascade

    sides: dict[str, CascadeSide] = {}
    for way, one in made.ways.items():
        sides[str(way)] = CascadeSide(
            bands=curves(one.levels, made.brakes.within_15_min, way),
            ignites=one.ignition,
            fan=None if one.timed_paths is None else fan(one.timed_paths),
            fan_no_map=None if one.timed_paths is None else fan(one.timed_paths, no_map=True),
            by_round_usd=() if one.timed is None else one.timed.forced_by_round_usd,
        )
    shocks = ", ".join(f"{format_usd(one.shock_usd)} {way}" for way, one in made.ways.items())
    found = made.found
    figure = plot_cascade(
        f"{found.asked}: a shock of {shocks}",
        [f"as of {iso(found.as_of_ns)}", f"mark {found.mark_price:,.1f}", f"preset {made.preset}", depth_words(made.brakes)],
        up=sides.get("up"),
        down=sides.get("down"),
        mark_price=found.mark_price,
        every_s=next((one.timed_paths.every_s for one in made.ways.values() if one.timed_paths is not None), 10),
        shock_usd=next(iter(made.ways.values())).shock_usd,
        caption=made.brakes.notes,
        badge=badge,
        simulated=found.simulated,
        dark=dark,
        size=size,
    )
    if path is not None:
        save(figure, Path(path))
    return figure


def depth_words(brakes: Brakes) -> str:
    """Say in a few words what depth was computed from."""
    return f"book of {iso(brakes.book.ts_ns)}" if brakes.book is not None else "no book stored: square-root law of impact"


def _absorption(made: Cascades) -> dict[str, Any]:
    brakes = made.brakes
    fast = brakes.within_15_min
    percent = {str(way): _quantiles(fast.at(way, 0.01)) for way in made.ways}
    return {
        "basis": str(fast.basis),
        "basis_text": fast.basis.sentence,
        "book_at": None if brakes.book is None else iso(brakes.book.ts_ns),
        "book_source": None if brakes.book is None else brakes.book.source,
        "volume_1d_usd": None if brakes.volume is None else brakes.volume.usd,
        "volume_to": None if brakes.volume is None else iso(brakes.volume.end_ns),
        "sigma_1d": made.found.sigma_1d,
        "within_1pct_usd": percent,
        "horizon_s": 900.0,
        "parts": fast.parts,
        "notes": brakes.notes,
    }


def _quantiles(values: Any) -> Any:
    from liqscape.cascade.base import interval

    return interval(values)


def _ignition(one: OneWay) -> dict[str, Any]:
    return {**_plain(one.ignition), "price": _plain(one.ignition_price)}


def _way(one: OneWay | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "shock_usd": one.shock_usd,
        "ignition": _ignition(one),
        "run": {**_plain(one.run), "end_price": _plain(one.end_price)},
        "reach": one.reach,
        "timed": one.timed,
    }


def _plain(value: Any) -> dict[str, Any]:
    return msgspec.to_builtins(value)


def _map(asked: Asked, home: Home, words: dict[str, Any]) -> LiquidationMap:
    if isinstance(asked, str):
        return map_of(asked, home=home, **words)
    if words:
        raise BadArgument(f"{', '.join(words)}: a map is already built", hint="Give these words to `map`, or give a name.")
    return asked


def _one(name: str, values: tuple[float, ...]) -> float:
    if len(values) != 1:
        raise BadArgument(f"{name}: expected one number, received {len(values)}")
    return values[0]
