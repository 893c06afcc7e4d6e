"""A question as it was asked at a door: a name, an instant, the words around it; and the map that answers it.

Shell and HTTP give the same words as text; they are read here, so that both mean the same and refuse the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any, Generic, TypeVar

import polars as pl

from liqscape.analytics import Tilt, caveats_for, filter_map, headline, tilt
from liqscape.analytics.caveats import Caveat
from liqscape.api._arguments import dollars, instant, venue_names
from liqscape.api._arguments import fractions as read_fractions
from liqscape.api.envelope import Links, Meta, age_s, late_inputs, meta_of, method_of
from liqscape.clock import iso, now_ns
from liqscape.engine.issue import issue
from liqscape.engine.maps import build_map, parse_reading
from liqscape.engine.verdict import OFF, STATES, TESTED, WEAK, Badge, badge
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, BelowAccuracy, NoData, StaleInput
from liqscape.model import PositionSide
from liqscape.model.maps import Heatmap, Inputs, LiquidationMap
from liqscape.units import NS_PER_S, format_duration, format_price, parse_duration_ns, parse_usd

Value = TypeVar("Value")
Parts = TypeVar("Parts")


@dataclass(frozen=True)
class Words:
    """How a map is built, what of it is left out, and when it is not good enough; as text, None is the default.

    Parameters
    ----------
    window
        Stretch of stored bars that builds the state.
    reading
        `published` or `true`.
    leverage, min_usd, side
        Leave the rest out.
    max_age, require
        Refuse an answer that is older, or whose record is worse.
    """

    window: str | None = None
    reading: str = "published"
    leverage: str | None = None
    min_usd: str | None = None
    side: str | None = None
    max_age: str | None = None
    require: str | None = None

    def flags(self) -> list[str]:
        """Return the words that shape the map, to be typed again."""
        words = [*option("--window", self.window)]
        words += option("--reading", self.reading if self.reading != "published" else None)
        return [*words, *option("--leverage", self.leverage), *option("--min-usd", self.min_usd), *option("--side", self.side)]


@dataclass(frozen=True)
class Question:
    """A name, an instant and where to look.

    Parameters
    ----------
    as_of_ns
        ns UTC; None asks for the newest stored bar.
    zone
        Time zone of text.
    prefix
        What stands before a word in messages: `--` in the shell, nothing in HTTP.
    maps
        Builds the map; a server gives one that remembers.
    """

    command: str
    workspace: Workspace
    asked: str
    as_of_ns: int | None = None
    venues: tuple[str, ...] = ()
    zone: tzinfo = UTC
    prefix: str = ""
    maps: Callable[..., LiquidationMap] = field(default=build_map, repr=False)

    def name(self, word: str) -> str:
        """Return a word as it is written at this door: `--min-usd` or `min_usd`."""
        return f"{self.prefix}{word.replace('_', '-')}" if self.prefix else word

    def seen_from_ns(self, as_of_ns: int) -> int:
        """Return the instant from which ages count: the one that was asked for, else now."""
        return as_of_ns if self.as_of_ns is not None else max(now_ns(), as_of_ns)

    def badge(self, found: LiquidationMap | Heatmap) -> Badge:
        """Return what the stored record allows to say of a map."""
        return badge(self.workspace, [each.instrument for each in found.inputs], found.as_of_ns, found.model)

    def caveats(self, found: LiquidationMap | Heatmap, reading: str, **facts: Any) -> tuple[Caveat, ...]:
        """Return the caveats of a view; UNTESTED only where no record speaks for the map. `facts` as in `caveats_for`."""
        return caveats_for(found, reading, tested=self.badge(found).has_record, **facts)

    def meta(self, found: LiquidationMap | Heatmap, caveats: tuple[Caveat, ...]) -> Meta:
        """Return the meta of a view."""
        return meta_of(found, caveats, badge=self.badge(found), seen_from_ns=self.seen_from_ns(found.as_of_ns))

    def headline(self, found: LiquidationMap, lean: Tilt | None = None) -> str:
        """Return the headline of a map, which says SIMULATED where the market is; a map whose record is OFF has none."""
        record = self.badge(found)
        if record.state != OFF:
            return said(found, headline(found, lean))
        return said(
            found, f"No headline: out of sample the map of {record.instrument} did not hold ({'; '.join(record.reasons)})."
        )

    def lean(self, found: LiquidationMap) -> Tilt:
        """Return the tilt with P(ignites) of both sides (F06); without it where the market's brakes are not known.

        A map of which something was left out has no answer: what was left out would be forced all the same.
        """
        from liqscape.engine.cascade import ignitions, lean_of

        lean = tilt(found)
        if found.filters.keys() - {"venue"}:
            return lean
        try:
            return lean_of(lean, ignitions(self.workspace, found))
        except NoData:
            return lean

    def links(self, as_of_ns: int, flags: Sequence[str | None]) -> Links:
        """Return the commands that give the same answer again, and the page that shows it.

        Parameters
        ----------
        flags
            What was asked beyond the name, the venues and the instant; None entries are left out.
        """
        words = ["liqscape", self.command, self.asked, *(word for word in flags if word is not None)]
        words += ["--venue", ",".join(self.venues)] if self.venues else []
        line = shlex.join([*words, "--as-of", iso(as_of_ns)])
        venues = f"&venue={','.join(self.venues)}" if self.venues else ""
        return Links(
            page=f"/{self.asked}?as_of={iso(as_of_ns)}{venues}",
            csv=f"{line} --csv",
            method=method_of(self.command),
            reproduce=f"{line} --json",
        )

    def find_map(self, words: Words, *, filtered: bool = True) -> LiquidationMap:
        """Return the map that is meant, less what was left out on request, STALE where its inputs are old by now.

        Raises
        ------
        NoData, BadArgument
            If nothing stored answers, or a word makes no sense.
        StaleInput, BelowAccuracy
            If it is older than `max_age`, or its record is worse than `require`.
        """
        found = self.maps(
            self.workspace,
            self.asked,
            as_of_ns=self.as_of_ns,
            window=None if words.window is None else self.duration("window", words.window),
            venues=self.venues,
            reading=parse_reading(words.reading),
        )
        if late_inputs(found.inputs, self.seen_from_ns(found.as_of_ns)):
            found = replace(found, caveats=("STALE", *found.caveats))
        if filtered:
            found = filter_map(
                found,
                side=words.side,
                leverage=words.leverage,
                min_usd=None if words.min_usd is None else self.read("min_usd", words.min_usd, parse_usd),
            )
        issue(self.workspace, found)
        self.guard(words, found)
        return found

    def guard(self, words: Words, found: LiquidationMap | Heatmap) -> None:
        """Refuse an answer that is older or worse than the caller allows.

        Raises
        ------
        StaleInput
            If the newest input is older than `max_age`.
        BelowAccuracy
            If the record of the map is worse than `require`.
        """
        self.check_age(words.max_age, found.inputs, found.as_of_ns)
        if words.require is None:
            return
        least = words.require.lower()
        if least not in (WEAK, TESTED):
            raise BadArgument(f"{self.name('require')}: expected weak or tested, received {words.require!r}")
        record = self.badge(found)
        if STATES.index(record.counts_as) >= STATES.index(least):
            return
        why = record.stale or "; ".join(record.reasons) or "there is no out-of-sample record yet"
        raise BelowAccuracy(
            f"{found.asked}: the map is {record.text.split(' lift')[0]} ({why}); {self.name('require')} asks for {least}",
            hint=f"`liqscape accuracy {record.instrument or found.asked} --refresh` scores it on what is stored; "
            f"leave {self.name('require')} out to see the map all the same.",
            context={"accuracy": record.state, "stale": record.stale, "required": least},
        )

    def check_age(self, max_age: str | None, inputs: Sequence[Inputs], as_of_ns: int) -> None:
        """Refuse inputs that are older than `max_age`."""
        if max_age is None:
            return
        allowed_ns = self.read("max_age", max_age, parse_duration_ns)
        age = age_s(inputs, self.seen_from_ns(as_of_ns))
        if age is None or age * NS_PER_S <= allowed_ns:
            return
        newest = iso(min(each.last_bar_end_ns for each in inputs))
        raise StaleInput(
            f"{self.asked}: the newest bar ended {newest}, {format_duration(age * NS_PER_S)} ago; "
            f"{self.name('max_age')} allows {format_duration(allowed_ns)}",
            hint="Import newer data, or allow a greater age.",
            context={"age_s": age, "max_age_s": allowed_ns / NS_PER_S, "newest": newest},
        )

    def read(self, word: str, text: str, parser: Callable[[str], Value]) -> Value:
        """Read the text of a word; the error names the word as this door writes it.

        Raises
        ------
        BadArgument
            If the parser refuses the text.
        """
        try:
            return parser(text)
        except ValueError as error:
            hint = "`--help` shows how it is written." if self.prefix else None
            raise BadArgument(f"{self.name(word)}: {error}", hint=hint) from None

    def duration(self, word: str, text: str) -> str:
        """Return a duration as it was written, once it is known to be one."""
        self.read(word, text, parse_duration_ns)
        return text

    def fractions(self, word: str, text: str) -> tuple[float, ...]:
        """Read distances such as `1%,2%,5%`; each above 0."""
        values = read_fractions(text, self.name(word))
        if any(not value > 0.0 for value in values):
            raise BadArgument(
                f"{self.name(word)}: expected a distance above 0, received {text!r}", hint="Write it like 2% or 0.02."
            )
        return values

    def fraction(self, word: str, text: str) -> float:
        """Read one distance such as `2%`."""
        values = self.fractions(word, text)
        if len(values) != 1:
            raise BadArgument(f"{self.name(word)}: expected one distance, received {text!r}", hint="Write it like 2%.")
        return values[0]

    def budgets(self, word: str, text: str) -> tuple[float, ...]:
        """Read dollars such as `250M,1B`."""
        return dollars(text, self.name(word))

    def prices(self, word: str, text: str) -> tuple[float, float]:
        """Read a range of prices such as `84000-100000` or `84K-100K`, ascending."""
        parts = text.replace("..", "-").split("-")
        if len(parts) != 2:
            raise BadArgument(f"{self.name(word)}: expected two prices, received {text!r}", hint="Write it like 84000-100000.")
        low, high = (self.read(word, part, parse_usd) for part in parts)
        if not 0.0 < low < high:
            raise BadArgument(
                f"{self.name(word)}: expected two ascending prices, received {text!r}", hint="Write it like 84000-100000."
            )
        return low, high

    def side(self, word: str, text: str | None) -> PositionSide | None:
        """Read `long`, `short` or `both`."""
        if text is None or text.lower() == "both":
            return None
        try:
            return PositionSide(text.lower())
        except ValueError:
            raise BadArgument(f"{self.name(word)}: expected long, short or both, received {text!r}") from None


@dataclass(frozen=True)
class Answered(Generic[Parts]):
    """What a command has to say, before it is written for anybody.

    Parameters
    ----------
    data, meta, links
        For JSON.
    parts
        What text and pictures are made from.
    table
        Makes the flat table; None if the command has none.
    """

    command: str
    data: Any
    meta: Meta
    links: Links
    parts: Parts
    table: Callable[[], pl.DataFrame] | None = None


def ask(
    command: str, workspace: Workspace, asked: str, *, as_of: str | None = None, venue: str | None = None, **more: Any
) -> Question:
    """Read what every question has; `more` are further fields of `Question`."""
    prefix = str(more.get("prefix", ""))
    return Question(
        command=command,
        workspace=workspace,
        asked=asked,
        as_of_ns=instant(as_of, f"{prefix}as-of" if prefix else "as_of"),
        venues=venue_names(venue),
        **more,
    )


def said(found: LiquidationMap | Heatmap, sentence: str) -> str:
    """Let a leading sentence say SIMULATED where the market is."""
    return f"SIMULATED. {sentence}" if found.simulated else sentence


def level(price: float | None) -> str:
    """Write the price of a level: five digits are finer than a bucket."""
    text = format_price(price, digits=5)
    return text.rstrip("0").rstrip(".") if "." in text else text


def option(name: str, value: object | None) -> list[str]:
    """Return a flag and its value as words, nothing if the value is None."""
    return [] if value is None else [name, str(value)]


def widest_odds(*odds: float | None) -> float | None:
    """Return the largest of the known odds: what the caveat BASELINE names."""
    return max((value for value in odds if value is not None), default=None)
