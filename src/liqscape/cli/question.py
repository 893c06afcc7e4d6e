"""What people typed, read into values; and the map that answers it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import typer

from liqscape.analytics import filter_map
from liqscape.api._arguments import dollars, instant, venue_names
from liqscape.api._arguments import fractions as read_fractions
from liqscape.api.envelope import METHOD, Links, age_s, late_inputs
from liqscape.cli.emit import check
from liqscape.cli.options import Built, Condition, Filters, Guards, Show, SideFilter, Target
from liqscape.clock import iso, now_ns
from liqscape.engine.issue import issue
from liqscape.engine.maps import build_map, parse_reading
from liqscape.engine.verdict import STATES, TESTED, WEAK, Badge, badge
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, BelowAccuracy, StaleInput
from liqscape.model.maps import Heatmap, Inputs, LiquidationMap
from liqscape.units import NS_PER_S, format_duration, parse_duration_ns, parse_usd

if TYPE_CHECKING:
    from liqscape.cli.expression import Test

CONDITION_TRUE = 10  # exit status when `--exit-if` is true
Value = TypeVar("Value")


@dataclass(frozen=True)
class Question:
    """A name, an instant and where to look.

    Parameters
    ----------
    as_of_ns
        ns UTC; None asks for the newest stored bar.
    zone
        Time zone of text.
    """

    command: str
    workspace: Workspace
    asked: str
    as_of_ns: int | None
    venues: tuple[str, ...]
    zone: tzinfo

    @classmethod
    def of(cls, command: str, target: Target, show: Show) -> Question:
        """Read the flags that every reading has."""
        check(show)
        workspace = Workspace(target.home)
        return cls(
            command=command,
            workspace=workspace,
            asked=target.instrument,
            as_of_ns=instant(target.as_of, "--as-of"),
            venues=venue_names(target.venue),
            zone=zone_of(show.tz or workspace.settings.time_zone),
        )

    def seen_from_ns(self, as_of_ns: int) -> int:
        """Return the instant from which ages count: the one that was asked for, else now."""
        return as_of_ns if self.as_of_ns is not None else max(now_ns(), as_of_ns)

    def badge(self, found: LiquidationMap | Heatmap) -> Badge:
        """Return what the stored record allows to say of a map."""
        return badge(self.workspace, [each.instrument for each in found.inputs], found.as_of_ns, found.model)

    def links(self, as_of_ns: int, flags: Sequence[str | None]) -> Links:
        """Return the commands that give the same answer again.

        Parameters
        ----------
        flags
            What was asked beyond the name, the venues and the instant; None entries are left out.
        """
        words = ["liqscape", self.command, self.asked, *(word for word in flags if word is not None)]
        words += ["--venue", ",".join(self.venues)] if self.venues else []
        line = shlex.join([*words, "--as-of", iso(as_of_ns)])
        return Links(csv=f"{line} --csv", method=METHOD, reproduce=f"{line} --json")


def find_map(question: Question, built: Built, filters: Filters | None = None, side: SideFilter | None = None) -> LiquidationMap:
    """Return the map that a question means, with what was filtered out on request, STALE where its inputs are old by now."""
    found = build_map(
        question.workspace,
        question.asked,
        as_of_ns=question.as_of_ns,
        window=None if built.window is None else duration("--window", built.window),
        venues=question.venues,
        reading=parse_reading(built.reading),
    )
    if late_inputs(found.inputs, question.seen_from_ns(found.as_of_ns)):
        found = replace(found, caveats=("STALE", *found.caveats))
    found = filter_map(
        found,
        side=None if side is None else side.side,
        leverage=None if filters is None else filters.leverage,
        min_usd=None if filters is None or filters.min_usd is None else read("--min-usd", filters.min_usd, parse_usd),
    )
    issue(question.workspace, found)
    return found


def flags_of(built: Built, filters: Filters | None = None, side: SideFilter | None = None) -> list[str | None]:
    """Return the words that `find_map` was asked with, to be typed again."""
    words: list[str | None] = [*option("--window", built.window)]
    words += option("--reading", built.reading if built.reading != "published" else None)
    if filters is not None:
        words += [*option("--leverage", filters.leverage), *option("--min-usd", filters.min_usd)]
    return [*words, *(option("--side", side.side) if side is not None else [])]


def option(name: str, value: object | None) -> list[str | None]:
    """Return a flag and its value as words, nothing if the value is None."""
    return [] if value is None else [name, str(value)]


def guard(guards: Guards, question: Question, found: LiquidationMap | Heatmap) -> None:
    """Refuse an answer that is older or worse than the caller allows.

    Raises
    ------
    StaleInput
        If the newest input is older than `--max-age`.
    BelowAccuracy
        If the record of the map is worse than `--require`.
    """
    check_age(guards.max_age, question, found.inputs, found.as_of_ns)
    if guards.require is None:
        return
    least = guards.require.lower()
    if least not in (WEAK, TESTED):
        raise BadArgument(f"--require: expected weak or tested, received {guards.require!r}")
    record = question.badge(found)
    if STATES.index(record.counts_as) >= STATES.index(least):
        return
    why = record.stale or "; ".join(record.reasons) or "there is no out-of-sample record yet"
    raise BelowAccuracy(
        f"{found.asked}: the map is {record.text.split(' lift')[0]} ({why}); --require asks for {least}",
        hint=f"`liqscape accuracy {record.instrument or found.asked} --refresh` scores it on what is stored; "
        "leave --require out to see the map all the same.",
        context={"accuracy": record.state, "stale": record.stale, "required": least},
    )


def check_age(max_age: str | None, question: Question, inputs: Sequence[Inputs], as_of_ns: int) -> None:
    """Refuse inputs that are older than `--max-age`."""
    if max_age is None:
        return
    allowed_ns = read("--max-age", max_age, parse_duration_ns)
    age = age_s(inputs, question.seen_from_ns(as_of_ns))
    if age is None or age * NS_PER_S <= allowed_ns:
        return
    newest = iso(min(each.last_bar_end_ns for each in inputs))
    raise StaleInput(
        f"{question.asked}: the newest bar ended {newest}, {format_duration(age * NS_PER_S)} ago; "
        f"--max-age allows {format_duration(allowed_ns)}",
        hint="Import newer data, or allow a greater age.",
        context={"age_s": age, "max_age_s": allowed_ns / NS_PER_S, "newest": newest},
    )


def condition_of(condition: Condition) -> Test | None:
    """Read `--exit-if`, so that one that makes no sense is refused before anything is computed."""
    if condition.exit_if is None:
        return None
    from liqscape.cli.expression import parse

    return parse(condition.exit_if)


def decide(test: Test | None, found: LiquidationMap) -> None:
    """End the program with exit status 10 if the condition is true of a map."""
    if test is not None and test(found):
        raise typer.Exit(CONDITION_TRUE)


def read(flag: str, text: str, parser: Callable[[str], Value]) -> Value:
    """Read the value of a flag; the error names the flag.

    Raises
    ------
    BadArgument
        If the parser refuses the text.
    """
    try:
        return parser(text)
    except ValueError as error:
        raise BadArgument(f"{flag}: {error}", hint="`--help` shows how it is written.") from None


def duration(flag: str, text: str) -> str:
    """Return a duration as it was written, once it is known to be one."""
    read(flag, text, parse_duration_ns)
    return text


def fractions(flag: str, text: str) -> tuple[float, ...]:
    """Read distances such as `1%,2%,5%`; each above 0."""
    values = read_fractions(text, flag)
    for value in values:
        if not value > 0.0:
            raise BadArgument(f"{flag}: expected a distance above 0, received {text!r}", hint="Write it like 2% or 0.02.")
    return values


def fraction(flag: str, text: str) -> float:
    """Read one distance such as `2%`."""
    values = fractions(flag, text)
    if len(values) != 1:
        raise BadArgument(f"{flag}: expected one distance, received {text!r}", hint="Write it like 2%.")
    return values[0]


def budgets(flag: str, text: str) -> tuple[float, ...]:
    """Read dollars such as `250M,1B`."""
    return dollars(text, flag)


def prices(flag: str, text: str) -> tuple[float, float]:
    """Read a range of prices such as `84000-100000` or `84K-100K`, ascending."""
    parts = text.replace("..", "-").split("-")
    if len(parts) != 2:
        raise BadArgument(f"{flag}: expected two prices, received {text!r}", hint="Write it like 84000-100000.")
    low, high = (read(flag, part, parse_usd) for part in parts)
    if not 0.0 < low < high:
        raise BadArgument(f"{flag}: expected two ascending prices, received {text!r}", hint="Write it like 84000-100000.")
    return low, high


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name.

    Raises
    ------
    BadArgument
        If there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadArgument(f"--tz: there is no time zone {name!r}", hint="Use a name such as UTC or Europe/Berlin.") from None


def picture_path(path: Path | None) -> Path | None:
    """Refuse a picture that could not be written, before anything is computed."""
    if path is None:
        return None
    if path.suffix.lower() not in (".png", ".svg"):
        raise BadArgument(f"--out: expected a name that ends in .png or .svg, received {path.name!r}")
    if not path.parent.is_dir():
        raise BadArgument(f"--out: there is no folder {str(path.parent)!r}", hint="Create it first, or choose another one.")
    return path
