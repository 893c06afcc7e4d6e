"""Answers about what was published: forced orders, and what stood behind a throttled feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from msgspec import Struct

from liqscape.analytics.caveats import Caveat, sentence
from liqscape.api.answers.data import LiquidationTotals
from liqscape.api.envelope import Coverage, plain_meta
from liqscape.api.frames import frame
from liqscape.api.question import Answered, Question, option
from liqscape.clock import iso
from liqscape.engine.tape import Published, published
from liqscape.engine.workspace import Workspace
from liqscape.model import Completeness, PositionSide
from liqscape.units import NS_PER_S

if TYPE_CHECKING:
    from liqscape.engine.true_tape import TrueTape

_TRUE = ("reported_usd", "true_usd", "low_usd", "high_usd")


class LiquidationsData(Struct, kw_only=True):
    """`liquidations`: totals per instrument, and one row per interval (ts, long_usd, short_usd as filtered)."""

    totals: list[LiquidationTotals]
    intervals: list[dict[str, Any]]


@dataclass(frozen=True)
class PrintsParts:
    """`liquidations`; `true` beside each of `found`, None where it cannot be estimated."""

    found: tuple[Published, ...]
    true: tuple[TrueTape | None, ...]
    only: PositionSide | None
    caveats: tuple[Caveat, ...]


def answer_liquidations(
    question: Question, *, window: str = "7d", side: str | None = None, top: int | None = None
) -> Answered[PrintsParts]:
    """Answer `liquidations`: forced orders as they were published; realised, not modelled."""
    only = question.side("side", side)
    found = published(
        question.workspace,
        question.asked,
        as_of_ns=question.as_of_ns,
        window=question.duration("window", window),
        venues=question.venues,
    )
    caveats, intervals = _caveats(found), _table(found, only, top)
    true = tuple(_estimated(question.workspace, each, window) for each in found)
    as_of_ns = max(each.as_of_ns for each in found)
    meta = plain_meta(
        instruments=[each.instrument for each in found],
        asked=question.asked,
        as_of_ns=as_of_ns,
        simulated=any(each.simulated for each in found),
        caveats=caveats,
        venues=sorted({each.instrument.venue for each in found}),
        age_s=max((question.seen_from_ns(each.as_of_ns) - _newest(each)) / NS_PER_S for each in found),
        reading="published",
        filters={} if only is None else {"side": str(only)},
        recorded=all(each.series.recorded for each in found),
        coverage=Coverage(
            open_interest_share=None,
            measured_share=0.0,
            venues=sorted({venue for each in found for venue in each.series.venues}),
            completeness=str(found[0].series.completeness),
        ),
    )
    flags = [*option("--window", window), *option("--side", only), *option("--top", top)]
    totals = [_totals(each, estimate) for each, estimate in zip(found, true, strict=True)]
    return Answered(
        command="liquidations",
        data=LiquidationsData(totals=totals, intervals=intervals.to_dicts()),
        meta=meta,
        links=question.links(as_of_ns, flags),
        parts=PrintsParts(tuple(found), true, only, caveats),
        table=lambda: intervals,
    )


def _caveats(found: Sequence[Published]) -> tuple[Caveat, ...]:
    codes = ["SIMULATED"] if any(each.simulated for each in found) else []
    if any(each.series.completeness is not Completeness.ALL and not each.simulated for each in found):
        codes.append("THROTTLED")
    return tuple(Caveat(code=code, text=sentence(code)) for code in (*codes, "ADVICE"))


def _newest(found: Published) -> int:
    return int(found.series.start_ns[-1]) + found.series.interval_ns


def _estimated(workspace: Workspace, found: Published, window: str) -> TrueTape | None:
    """Estimate what a throttled feed hid, where its prints and the price of each second are stored."""
    if found.series.completeness is Completeness.ALL or found.simulated:
        return None
    from liqscape.engine.true_tape import estimated_true

    return estimated_true(workspace, found.instrument, as_of_ns=found.as_of_ns, window=window)


def true_data(true: TrueTape) -> dict[str, Any]:
    """Return the estimate over the hours that could be estimated, by side, with the share that the feed showed of them."""
    told = [hour for hour in true.hours if np.isfinite(hour.true_usd).all()]
    sums = {name: np.sum([getattr(hour, name) for hour in told], axis=0).tolist() for name in _TRUE}
    sides = {
        side: {
            "reported_usd": sums["reported_usd"][i],
            "median": sums["true_usd"][i],
            "lo": sums["low_usd"][i],
            "hi": sums["high_usd"][i],
        }
        for i, side in enumerate(("long", "short"))
    }
    return {**sides, "hours": len(told), "reported_share": true.reported_share, "rule": str(true.rule)}


def _totals(found: Published, true: TrueTape | None) -> LiquidationTotals:
    series = found.series
    possible = (found.as_of_ns - found.from_ns) // series.interval_ns
    return LiquidationTotals(
        instrument=str(found.instrument),
        from_=iso(found.from_ns),
        to=iso(found.as_of_ns),
        interval_s=series.interval_ns / NS_PER_S,
        intervals_known=len(series),
        intervals_possible=possible,
        long_usd=found.long_usd,
        short_usd=found.short_usd,
        venues=series.venues,
        completeness=str(series.completeness),
        estimated_true_usd=None if true is None else true_data(true),
    )


def _table(found: Sequence[Published], only: PositionSide | None, top: int | None) -> pl.DataFrame:
    """Return one row per interval, as filtered, ascending in time per instrument."""
    table = frame(tuple(found))
    if only is not None:
        table = table.drop("short_usd" if only is PositionSide.LONG else "long_usd")
    if top is None:
        return table
    usd = pl.sum_horizontal(pl.col(name) for name in ("long_usd", "short_usd") if name in table.columns)
    return table.sort(usd, descending=True).head(top).sort("instrument", "ts")
