"""`liqscape zones`: the dense stretches, with the round prices in them."""

from __future__ import annotations

from liqscape.analytics import MixShare, Zone, Zones
from liqscape.api.answers.maps import answer_zones
from liqscape.cli.emit import emit_answer
from liqscape.cli.options import Built, Condition, Filters, Guards, Show, SideFilter, Target
from liqscape.cli.question import condition_of, decide, question_of, words_of
from liqscape.cli.screen import BOLD, DIM, LONG, SHORT, Screen
from liqscape.cli.views.words import closing, level, odds_text, opening, percent, usd_interval
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
    question = question_of("zones", target, show)
    test = condition_of(condition)
    answered = answer_zones(question, words_of(built, filters, side, guards), within=within, top=top)
    parts = answered.parts

    def text(screen: Screen) -> None:
        opening(screen, question, parts.found, parts.sentence)
        screen.blank()
        say_zones(screen, parts.reading)
        screen.blank()
        closing(screen, parts.found, parts.caveats)

    emit_answer(show, answered, text, question.zone)
    decide(test, parts.found)


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
