"""What a row must satisfy to be believed. One verdict per row: the first law it breaks, with field, value and reason."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from liqscape.clock import iso, now_ns, parse_instant
from liqscape.engine._import_report import DETAILS, Rejection
from liqscape.units import NS_PER_DAY, format_duration

# No perpetual contract is older than 2016; anything before 2010 is a wrong unit or a wrong clock.
EARLIEST_NS = parse_instant("2010-01-01")
# Rows of tomorrow are refused; a day is left for clocks that are wrong.
FUTURE_SLACK_NS = NS_PER_DAY


@dataclass(frozen=True)
class Law:
    """A row is refused where `broken` is true; null counts as kept."""

    field: str
    broken: pl.Expr
    reason: str


@dataclass
class Rejections:
    """Collects what was refused: details up to a limit, lines of the present file in full."""

    found: list[Rejection] = field(default_factory=list[Rejection])

    @property
    def room(self) -> int:
        """How many more are kept in detail."""
        return max(0, DETAILS - len(self.found))

    def add(self, file: str, line: int, column: str, value: object, reason: str) -> None:
        """Keep one rejection while there is room."""
        if self.room:
            self.found.append(Rejection(file, line, column, "" if value is None else str(value), reason))


def positive(name: str, *, nullable: bool = False) -> list[Law]:
    """Laws of a number above zero."""
    column = pl.col(name)
    missing = [] if nullable else [Law(name, column.is_null(), "is missing")]
    return [*missing, Law(name, ~column.is_finite(), "is no finite number"), Law(name, column <= 0, "expected a number > 0")]


def not_negative(name: str, *, nullable: bool = False) -> list[Law]:
    """Laws of a number that may be zero."""
    column = pl.col(name)
    missing = [] if nullable else [Law(name, column.is_null(), "is missing")]
    return [*missing, Law(name, ~column.is_finite(), "is no finite number"), Law(name, column < 0, "expected a number >= 0")]


def bar_laws(columns: Sequence[str]) -> list[Law]:
    """Laws of a bar with these columns."""
    laws = [law for name in ("open", "high", "low", "close") for law in positive(name)]
    laws.append(Law("high", pl.col("high") < pl.col("low"), "is below the low"))
    for name in ("open", "close"):
        laws.append(Law(name, pl.col(name) > pl.col("high"), "is above the high"))
        laws.append(Law(name, pl.col(name) < pl.col("low"), "is below the low"))
    for name in ("volume_base", "taker_buy_base", "open_interest_base"):
        laws += not_negative(name, nullable=True) if name in columns else []
    if "volume_base" in columns and "taker_buy_base" in columns:
        over = pl.col("taker_buy_base") > pl.col("volume_base") * (1 + 1e-9)
        laws.append(Law("taker_buy_base", over, "is more than the volume"))
    return laws


def rate_laws(name: str, *, nullable: bool = False) -> list[Law]:
    """Laws of a funding rate, a fraction per interval."""
    column = pl.col(name)
    missing = [] if nullable else [Law(name, column.is_null(), "is missing")]
    too_large = Law(name, column.abs() >= 1.0, "expected a fraction per interval, below 1 in size")
    return [*missing, Law(name, ~column.is_finite(), "is no finite number"), too_large]


def depth_laws() -> list[Law]:
    """Laws of one distance of a book."""
    too_far = Law("distance", pl.col("distance") >= 1.0, "expected a fraction of the mid price, below 1")
    return [*positive("distance"), too_far, *not_negative("bid_usd"), *not_negative("ask_usd")]


def time_laws(interval_ns: int | None) -> list[Law]:
    """Laws of the instant of a row."""
    latest = now_ns() + FUTURE_SLACK_NS - (interval_ns or 0)
    reason = f"is outside {iso(EARLIEST_NS)[:10]} .. tomorrow"
    return [
        Law("ts", pl.col("ts").is_null(), "is no time"),
        Law("ts", (pl.col("ts") < EARLIEST_NS) | (pl.col("ts") > latest), reason),
    ]


def judge(
    typed: pl.DataFrame, raw: pl.DataFrame, laws: Sequence[Law], wire: Mapping[str, str], file: str, rejections: Rejections
) -> tuple[pl.DataFrame, int]:
    """Split one block into the rows that break no law and the count of the others.

    Parameters
    ----------
    typed, raw
        The same rows in the house's units and as they stand in the file; `typed` may hold `problem` and `problem_field`, what
        the parser refused.
    wire
        The file's name of each column.
    """
    broken = [law.broken.fill_null(False).alias(str(index)) for index, law in enumerate(laws)]
    parsed = "problem" in typed.columns
    if parsed:
        broken.append(pl.col("problem").is_not_null().alias("problem"))
    verdicts = typed.select(broken)
    bad = verdicts.select(pl.any_horizontal(pl.all())).to_series()
    count = int(bad.sum())
    drop = [name for name in ("problem", "problem_field") if parsed]
    if count == 0:
        return typed.drop(drop), 0
    for row in bad.arg_true().head(rejections.room):
        if parsed and (problem := typed.item(row, "problem")) is not None:
            column, reason = str(typed.item(row, "problem_field")), str(problem)
        else:
            law = laws[next(index for index in range(len(laws)) if verdicts.item(row, index))]
            column, reason = wire.get(law.field, law.field), law.reason
        line = int(typed.item(row, "line"))
        place = int(raw.get_column("line").search_sorted(line))  # the parser may have left rows out, so lines are the link
        rejections.add(file, line, column, raw.item(place, column) if column in raw.columns else None, reason)
    return typed.filter(~bad).drop(drop), count


def in_order(frame: pl.DataFrame, ts_column: str, file: str, rejections: Rejections) -> tuple[pl.DataFrame, int]:
    """Refuse rows at which time goes backwards: as few as possible, so that one wrong stamp does not cost those behind it.

    Of two rows that are swapped the later line is refused; a stamp that runs ahead of all that follows is refused itself.
    """
    ts = frame.get_column("ts").to_numpy()
    if ts.size < 2 or bool(np.all(ts[1:] >= ts[:-1])):
        return frame, 0
    keep = _longest_ascent(ts)
    for row in np.flatnonzero(~keep)[: rejections.room].tolist():
        before = np.flatnonzero(keep[:row])
        if before.size and ts[before[-1]] > ts[row]:
            reason = f"time goes backwards: an earlier line says {iso(int(ts[before[-1]]))}"
        else:
            after = row + int(np.argmax(keep[row:]))
            reason = f"time runs ahead: a later line says {iso(int(ts[after]))}"
        rejections.add(file, int(frame.item(row, "line")), ts_column, iso(int(ts[row])), reason)
    return frame.filter(pl.Series(keep)), int(np.count_nonzero(~keep))


def _longest_ascent(ts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark the longest run of rows, not necessarily neighbours, whose times never fall (patience sorting, O(n log n))."""
    # From the end and with the sign turned, so that among equally long answers the earlier line is kept.
    tails: list[int] = []
    tops: list[int] = []
    previous = np.full(ts.size, -1, np.int64)
    for row in range(ts.size - 1, -1, -1):
        value = -int(ts[row])
        pile = bisect_right(tails, value)
        previous[row] = tops[pile - 1] if pile else -1
        if pile == len(tails):
            tails.append(value)
            tops.append(row)
        else:
            tails[pile], tops[pile] = value, row
    keep = np.zeros(ts.size, np.bool_)
    row = tops[-1]
    while row >= 0:
        keep[row] = True
        row = int(previous[row])
    return keep


def usual_step(frame: pl.DataFrame) -> int | None:
    """Return the most common step between neighbouring times, ns; None for fewer than two times."""
    steps = frame.select(pl.col("ts").unique().sort().diff().drop_nulls().alias("step"))
    if steps.height == 0:
        return None
    counted = steps.group_by("step").len().sort(["len", "step"], descending=[True, False])
    return int(counted.item(0, "step"))


def on_grid(frame: pl.DataFrame, interval_ns: int, ts_column: str, file: str, rejections: Rejections) -> tuple[pl.DataFrame, int]:
    """Refuse intervals that do not begin on the grid of the others: they would overlap them."""
    if frame.height == 0:
        return frame, 0
    phase = pl.col("ts") % interval_ns
    counted = frame.group_by(phase.alias("phase")).len().sort(["len", "phase"], descending=[True, False])
    if counted.height == 1:
        return frame, 0
    off = frame.filter(phase != counted.item(0, "phase"))
    for line, ts in off.head(rejections.room).select("line", "ts").iter_rows():
        reason = f"does not begin on the grid of {format_duration(interval_ns)}"
        rejections.add(file, line, ts_column, iso(ts), reason)
    return frame.filter(phase == counted.item(0, "phase")), off.height
