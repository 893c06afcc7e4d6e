"""`liqscape attribute`: how much of a past move was forced."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from liqscape.analytics.caveats import Caveat, sentence
from liqscape.api._arguments import instant, venue_names
from liqscape.api.envelope import Links, method_of, plain_meta
from liqscape.api.frames import frame
from liqscape.cli.emit import Answer, check, emit
from liqscape.cli.options import Show, Target
from liqscape.cli.question import zone_of
from liqscape.cli.screen import BOLD, DIM, Screen
from liqscape.cli.views.words import SHOUT, number_interval, percent, price, say_caveats, signed
from liqscape.clock import iso
from liqscape.engine.attribution import MoveAttribution, attribute_move
from liqscape.engine.breaches import Breaches
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model.maps import Estimate
from liqscape.units import format_duration, format_percent, format_usd

_CODES = ("MODEL", "THROTTLED", "DEPTH", "CONTEXT", "ADVICE")


def show_attribute(target: Target, show: Show, *, from_: str, to: str) -> None:
    """Answer `liqscape attribute`."""
    check(show)
    if target.as_of is not None:
        raise BadArgument("--as-of: a past move has an end already", hint="Use --to.")
    opened = Workspace(target.home)
    zone = zone_of(show.tz or opened.settings.time_zone)
    begin, end = instant(from_, "--from"), instant(to, "--to")
    assert begin is not None
    assert end is not None
    made = attribute_move(opened, target.instrument, from_ns=begin, to_ns=end, venues=venue_names(target.venue))
    simulated = opened.is_simulated(made.instrument)
    codes = [code for code in _CODES if code != "THROTTLED" or made.reported.median < 1.0]
    codes = (["SIMULATED"] if simulated else []) + codes
    caveats = tuple(Caveat(code=code, text=sentence(code, _facts(made, code))) for code in codes)
    lead = ("SIMULATED. " if simulated else "") + sentence_of(made)

    def text(screen: Screen) -> None:
        if simulated:
            screen.line((SHOUT, "shout"))
        screen.line((lead, BOLD))
        _say(screen, made)
        screen.blank()
        say_caveats(screen, caveats)

    words = f"liqscape attribute {target.instrument} --from {iso(made.from_ns)} --to {iso(made.to_ns)}"
    answer = Answer(
        command="attribute",
        data=attribute_data(made, lead),
        meta=plain_meta(
            instruments=(made.instrument,), asked=target.instrument, as_of_ns=made.to_ns, simulated=simulated, caveats=caveats
        ),
        text=text,
        table=lambda: _table(made),
        links=Links(csv=f"{words} --csv", method=method_of("attribute"), reproduce=f"{words} --json"),
    )
    emit(show, answer, Screen.of(show, zone))


def attribute_data(made: MoveAttribution, lead: str) -> dict[str, Any]:
    """Return the data of `attribute --json`: shares are of the log return."""
    plain: dict[str, Any] = msgspec.to_builtins(made)
    plain |= {"instrument": str(made.instrument), "from": iso(plain.pop("from_ns")), "to": iso(plain.pop("to_ns"))}
    return {"headline": lead, **plain}


def sentence_of(made: MoveAttribution) -> str:
    """Say the move, its forced share and its speed."""
    change = format_percent(made.to_price / made.from_price - 1.0, sign=True)
    length = format_duration(made.to_ns - made.from_ns)
    share = _share(made.attribution.forced)
    return f"{change} in {length}: forced share {share}, {made.speed_ratio:.1f}x the usual speed."


def _facts(made: MoveAttribution, code: str) -> dict[str, str] | None:
    if code == "DEPTH" and made.basis == "book":
        return {"time": iso(made.from_ns), "r": "as impact that fades"}
    return None


def _say(screen: Screen, made: MoveAttribution) -> None:
    parts = made.attribution
    screen.joined(
        [
            str(made.instrument),
            f"{screen.instant(made.from_ns)} to {screen.instant(made.to_ns)}",
            f"{price(made.from_price)} to {price(made.to_price)}",
            f"{made.steps} steps of {format_duration(made.step_s * 1e9)}",
        ],
        DIM,
    )
    screen.blank()
    for name, value in (
        ("forced orders", parts.forced),
        ("other takers", parts.taker),
        ("quotes withdrawn", parts.withdrawal),
        ("unexplained", parts.unexplained),
    ):
        screen.row(f"{name:<18}{_share(value)}")
    without = parts.counterfactual
    if without.median is not None and without.lo is not None and without.hi is not None:
        screen.row(f"{'without them':<18}{_move(without.median)} [{_move(without.lo)}..{_move(without.hi)}] of price")
    side = "bought" if made.forced_usd > 0.0 else "sold"
    shown = f"published {format_usd(made.published_long_usd)} longs, {format_usd(made.published_short_usd)} shorts"
    share = f"published / {made.reported.median:g} [{made.reported.lo:g}-{made.reported.hi:g}]"
    screen.line((f"{shown}; net forced {format_usd(abs(made.forced_usd))} {side}, estimated true ({share})", DIM))
    screen.line((f"{format_usd(made.depth_usd)} moved 1 % at once ({made.basis.replace('_', ' ')})", DIM))
    if made.breaches is not None:
        screen.line((_jump(made.breaches), DIM), hang=2)
    for note in made.notes:
        screen.line((note, DIM))
    screen.line(
        ("shares of the log return, they make 100 %; [ ] holds 80 %; below 0 or above 100 %: others worked against it", DIM)
    )


def _jump(made: Breaches) -> str:
    found = made.found
    lead = f"breached levels, {made.days} d before ({found.breaches:,} on {found.groups} days)"
    slope = number_interval(found.slope, signed)
    what = "the price went on by {} per 1 that the jump of the map would force, in {}; visible from {:.2f} on"
    return f"{lead}: {what.format(slope, format_duration(made.after_s * 1e9), found.smallest_visible)}"


def _share(value: Estimate) -> str:
    if value.median is None or value.lo is None or value.hi is None:
        return "not known"
    return f"{percent(value.median)} [{value.lo * 100:.0f}..{value.hi * 100:.0f}]"


def _move(log_return: float) -> str:
    from math import expm1

    return f"{expm1(log_return) * 100:+.1f}%"


def _table(made: MoveAttribution) -> pl.DataFrame:
    return frame(made.attribution)
