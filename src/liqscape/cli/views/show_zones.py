"""`liqscape zones`: the dense stretches, with the round prices in them."""

from __future__ import annotations

from liqscape.analytics import MixShare, Zone, Zones, zones
from liqscape.analytics.zones import ZONE_WITHIN
from liqscape.api.frames import frame
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Built, Condition, Filters, Guards, Show, SideFilter, Target
from liqscape.cli.question import Question, condition_of, decide, find_map, flags_of, fraction, guard, option
from liqscape.cli.screen import BOLD, DIM, LONG, SHORT, Screen
from liqscape.cli.views.badge import caveats_of, meta
from liqscape.cli.views.words import closing, headline_of, level, odds_text, opening, percent, usd_interval, widest_odds
from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.units import NS_PER_S, format_duration, format_percent, format_usd


def show_zones(
    target: Target,
    built: Built,
    filters: Filters,
    side: SideFilter,
    guards: Guards,
    condition: Condition,
    show: Show,
    *,
    within: str | None,
    top: int | None,
) -> None:
    """Answer `liqscape zones`."""
    question = Question.of("zones", target, show)
    reach = ZONE_WITHIN if within is None else fraction("--within", within)
    only, test = read_side(side.side), condition_of(condition)
    found = find_map(question, built, filters)
    guard(guards, question, found)
    reading, sentence = zones(found, reach, side=only, top=top), headline_of(found, question.badge(found))
    odds = widest_odds(*(zone.no_map_odds for zone in reading.zones))
    caveats = caveats_of(question, found, "zones", odds=odds)
    flags = [*option("--within", within), *option("--top", top), *option("--side", only)]

    def text(screen: Screen) -> None:
        opening(screen, question, found, sentence)
        screen.blank()
        say_zones(screen, reading)
        screen.blank()
        closing(screen, found, caveats)

    answer = Answer(
        command="zones",
        data={"headline": sentence, "within": reading.within, "zones": reading.zones, "findings": reading.findings},
        meta=meta(question, found, caveats),
        text=text,
        table=lambda: frame(reading),
        links=question.links(found.as_of_ns, [*flags, *flags_of(built, filters)]),
    )
    emit(show, answer, Screen.of(show, question.zone))
    decide(test, found)


def read_side(text: str | None) -> PositionSide | None:
    """Read `long`, `short` or `both`."""
    if text is None or text.lower() == "both":
        return None
    try:
        return PositionSide(text.lower())
    except ValueError:
        raise BadArgument(f"--side: expected long, short or both, received {text!r}") from None


def say_zones(screen: Screen, reading: Zones) -> None:
    """Print each zone on a line of its own, with what it is made of on the next."""
    for side, name in ((PositionSide.SHORT, "short zones above"), (PositionSide.LONG, "long zones below")):
        mine = [zone for zone in reading.zones if zone.side is side]
        if not mine:
            continue
        screen.row((name, SHORT if side is PositionSide.SHORT else LONG))
        for zone in mine:
            _say_zone(screen, zone)
    for finding in reading.findings:
        screen.line(finding)
    screen.line((f"within {format_percent(reading.within)}; peak = dollars per 0.1 %; odds = touched in 24 h with no map", DIM))


def _say_zone(screen: Screen, zone: Zone) -> None:
    rounds = ", ".join(level(each.price) for each in zone.round_numbers)
    screen.joined(
        [
            f"{level(zone.from_price)}-{level(zone.to_price)}",
            f"{format_percent(zone.near_distance, sign=True)} to {format_percent(zone.far_distance, sign=True)}",
            f"{usd_interval(zone.pool_usd)}",
            f"peak {level(zone.peak_price)} {format_usd(zone.peak_usd)}",
            f"prior {percent(zone.prior_share)}",
        ],
        BOLD,
        indent=2,
    )
    facts = [] if zone.age_s is None else [f"mean age {format_duration(zone.age_s * NS_PER_S)}"]
    facts += [f"{percent(zone.share_of_side)} of its side", *_mix(zone.tier_mix)]
    facts += [f"odds {odds_text(zone.no_map_odds)}"] if zone.no_map_odds is not None else []
    facts += [f"round: {rounds}"] if rounds else []
    screen.joined(facts, DIM, between=", ", indent=4)


def _mix(mix: tuple[MixShare, ...]) -> list[str]:
    return [f"{each.name}: {percent(each.share)}" for each in mix[:2]]
