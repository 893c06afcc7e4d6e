"""Answers about shocks: the cascade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from liqscape.analytics.caveats import Caveat
from liqscape.api.cascade import cascade_data, cascade_rows, parse_directions, parse_funds
from liqscape.api.question import Answered, Question, Words, option, said
from liqscape.cascade import Probability
from liqscape.clock import iso
from liqscape.engine.brakes import Brakes, parse_preset
from liqscape.engine.cascade import Cascades, build_cascade
from liqscape.model.maps import LiquidationMap
from liqscape.units import parse_usd


@dataclass(frozen=True, kw_only=True)
class Shock:
    """The words that shape a shock, as text."""

    shock: str | None = None
    push: str | None = None
    preset: str = "now"
    direction: str = "both"
    fund: tuple[str, ...] = ()
    seed: int | None = None

    def flags(self) -> list[str]:
        """Return the words to type again."""
        words = [*option("--shock", self.shock), *option("--push", self.push)]
        words += option("--preset", self.preset if self.preset != "now" else None)
        words += option("--direction", self.direction if self.direction != "both" else None)
        for each in self.fund:
            words += ["--fund", each]
        return [*words, *option("--seed", self.seed)]


@dataclass(frozen=True)
class CascadeParts:
    """`cascade`."""

    found: LiquidationMap
    made: Cascades
    sentence: str
    caveats: tuple[Caveat, ...]


def answer_cascade(question: Question, words: Words, asked: Shock) -> Answered[CascadeParts]:
    """Answer `cascade`: what a shock does, both ways, with the map and without it."""
    more: dict[str, Any] = {
        "shock_usd": None if asked.shock is None else question.read("shock", asked.shock, _dollars),
        "push": None if asked.push is None else question.fraction("push", asked.push),
        "preset": parse_preset(asked.preset),
        "directions": parse_directions(asked.direction),
        "funds_usd": parse_funds(asked.fund),
    }
    if asked.seed is not None:
        more["seed"] = asked.seed
    found = question.find_map(words)
    made = build_cascade(question.workspace, found, **more)
    sentence = said(found, sentence_of(made))
    caveats = question.caveats(found, "cascade", book=book_facts(made.brakes))
    return Answered(
        command="cascade",
        data=cascade_data(made, sentence),
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, [*asked.flags(), *words.flags()]),
        parts=CascadeParts(found, made, sentence, caveats),
        table=lambda: pl.DataFrame(cascade_rows(made), infer_schema_length=None),
    )


def sentence_of(made: Cascades) -> str:
    """Return the headline: tilt and what ignites, or the one direction that was asked for."""
    odds = ", ".join(f"{way} {percent_error(one.ignition.p_ignites)}" for way, one in made.ways.items())
    if made.tilt is None:
        return f"Ignites within 5 %: {odds}. Potential, not a forecast."
    value = made.tilt.value
    number = "-" if value is None or value.median is None else f"{value.median:+.2f}"
    if value is not None and value.median is not None and value.lo is not None and value.hi is not None:
        number += f" [{value.lo:+.2f}..{value.hi:+.2f}]"
    return f"{made.tilt.state} {number}; ignites {odds}. Potential, not a forecast."


def book_facts(brakes: Brakes) -> Mapping[str, str] | None:
    """Return what the caveat DEPTH names; None where no book was known."""
    if brakes.book is None:
        return None
    refill = next((part.median for part in brakes.within_15_min.parts if part.name == "refill"), 1.0)
    return {"time": iso(brakes.book.ts_ns), "r": f"{refill:.1f}"}


def percent_error(odds: Probability) -> str:
    """Write `16 %`, with `+-` its standard error where that shows."""
    value = f"{odds.value * 100:.1f}" if 0.0 < odds.value < 0.02 else f"{odds.value * 100:.0f}"
    return f"{value} %" if odds.error < 0.005 else f"{value} +-{odds.error * 100:.0f} %"


def _dollars(text: str) -> float:
    """Read dollars; a sign is kept, so that the engine can say why there is none."""
    stripped = text.strip()
    return -parse_usd(stripped[1:]) if stripped.startswith("-") else parse_usd(stripped)
