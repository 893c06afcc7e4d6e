"""What differs between the stores of a troubled and of a quiet run, outside of declared gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import polars as pl
from chaos_run import Run

from liqscape.model import Kind
from liqscape.store import Table
from liqscape.testing.virtual import START_NS
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

# Which kind of gap excuses which rows; a bar of a second opens at the price before it, so it reaches back one second.
_KINDS = {
    Table.RATIOS: Kind.RATIOS,
    Table.FUNDING: Kind.FUNDING,
}
# No venue time on the wire: the instant is that of the arrival, which differs between lines and runs, and with our clock.
ARRIVAL = ("bitmex:", "hyperliquid:")
ARRIVAL_NS = 120 * NS_PER_S
# Liquidations are orders that are seen while they stand, at most so long.
RESTING, RESTS_NS = "bitmex:", 10 * NS_PER_S


@dataclass
class Difference:
    """Rows that are missing, that are too many, or that differ; by table, with examples."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    compared: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    loose: int = 0

    def add(self, what: str, row: object) -> None:
        self.counts[what] += 1
        if len(self.examples[what]) < 8:
            self.examples[what].append(str(row))


class _Gaps:
    def __init__(self, *frames: pl.DataFrame) -> None:
        gaps = pl.concat(frames)
        found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for name, kind, start, end in gaps.select("instrument", "kind", "ts", "end_ts").iter_rows():
            found[name, kind].append((start, end))
        self._found = {key: sorted(stretches) for key, stretches in found.items()}

    def covers(self, name: str, kind: Kind, start_ns: int, end_ns: int) -> bool:
        """Whether [start, end] touches a gap."""
        stretches = self._found.get((name, kind.value), [])
        return any(a <= end_ns and start_ns <= b for a, b in stretches[: bisect_right(stretches, (end_ns, 1 << 62))])


def difference(quiet: Run, troubled: Run) -> Difference:
    """Compare every table."""
    found, gaps = Difference(), _Gaps(quiet.gaps, troubled.gaps)
    _bars(quiet, troubled, gaps, found)
    _liquidations(quiet, troubled, found)
    for table in (Table.FUNDING, Table.RATIOS):
        _exactly(table, quiet, troubled, gaps, found)
    _depth(quiet, troubled, gaps, found)
    _open_interest(quiet, troubled, gaps, found)
    return found


def _bars(quiet: Run, troubled: Run, gaps: _Gaps, found: Difference) -> None:
    names = ("instrument", "price_kind", "interval_ns", "ts", "open", "high", "low", "close", "volume_base", "taker_buy_base")
    first, second = ({row[:4]: row[4:] for row in run.tables[Table.BARS].select(names).iter_rows()} for run in (quiet, troubled))
    for key in first.keys() | second.keys():
        name, price_kind, interval, ts = key
        seconds = interval < NS_PER_MINUTE
        kind = Kind.TICKERS if seconds else Kind.BARS if price_kind == "last" else Kind.MARK_BARS
        what = f"bars {price_kind} {interval // NS_PER_S} s"
        if seconds and name.startswith(ARRIVAL):
            continue
        found.compared[what] += 1
        if first.get(key) == second.get(key):
            continue
        if gaps.covers(name, kind, ts - NS_PER_S if seconds else ts, ts + interval):
            found.excused[what] += 1
            continue
        _say(found, what, key, first, second)


def _exactly(table: Table, quiet: Run, troubled: Run, gaps: _Gaps, found: Difference) -> None:
    key, value = {
        Table.FUNDING: (("instrument", "ts"), ("rate", "interval_ns")),
        Table.RATIOS: (("instrument", "ts", "population"), ("long_share",)),
    }[table]
    n = len(key)
    first, second = (
        {row[:n]: row[n:] for row in run.tables[table].select(*key, *value).iter_rows()} for run in (quiet, troubled)
    )
    for at in first.keys() | second.keys():
        # Asked for again in the next round, an hour or five minutes later: near the end that comes after it. At first the hour
        # before the begin is asked for once.
        late_ns = 4_000 * NS_PER_S if table is Table.FUNDING else 700 * NS_PER_S
        if at[1] < START_NS or (at not in second and at[1] > troubled.end_ns - late_ns):
            continue
        found.compared[table.value] += 1
        if first.get(at) == second.get(at):
            continue
        if gaps.covers(at[0], _KINDS[table], at[1], at[1] + NS_PER_HOUR):
            found.excused[table.value] += 1
            continue
        _say(found, table.value, at, first, second)


def _depth(quiet: Run, troubled: Run, gaps: _Gaps, found: Difference) -> None:
    """Compare books minute by minute: some venues stamp a book with the instant of the answer."""
    names = ("instrument", "ts", "distance", "bid_usd", "ask_usd")
    books: list[dict[tuple[str, int], dict[float, tuple[float, float]]]] = []
    for run in (quiet, troubled):
        told: dict[tuple[str, int], dict[float, tuple[float, float]]] = defaultdict(dict)
        for name, ts, distance, bid, ask in run.tables[Table.DEPTH].select(names).iter_rows():
            told[name, ts // NS_PER_MINUTE * NS_PER_MINUTE][distance] = (bid, ask)
        books.append(told)
    for at in books[0].keys() | books[1].keys():
        found.compared["depth"] += 1
        if books[0].get(at) == books[1].get(at):
            continue
        if gaps.covers(at[0], Kind.DEPTH, at[1], at[1] + NS_PER_MINUTE):
            found.excused["depth"] += 1
            continue
        _say(found, "depth", at, books[0], books[1])


def _open_interest(quiet: Run, troubled: Run, gaps: _Gaps, found: Difference) -> None:
    """Compare samples by their round, and their values with the market's: the instant depends on the newest frame by then."""
    values: list[dict[tuple[str, int], tuple[int, float]]] = []
    for run in (quiet, troubled):
        rows = run.tables[Table.OPEN_INTEREST].select("instrument", "ts", "open_interest_base").iter_rows()
        values.append({(name, (ts + 30 * NS_PER_S) // NS_PER_MINUTE): (ts, value) for name, ts, value in rows})
    for at in values[0].keys() | values[1].keys():
        found.compared["open_interest"] += 1
        ts, value = values[1].get(at) or (0, 0.0)
        span = (-10, 0, 10) if at[0].startswith(ARRIVAL) else (0,)
        true = [troubled.open_interest(at[0], ts + s * NS_PER_S) for s in span] if ts else []
        # An inverse contract's interest in coins moves with the mark from when it was told.
        near = 1.5e-2 if troubled.inverse(at[0]) else 1e-6
        if (ts and values[0].get(at) == (ts, value)) or any(abs(value - one) <= near * one for one in true):
            continue
        begin, end = (at[1] - 1) * NS_PER_MINUTE, at[1] * NS_PER_MINUTE
        if not ts and any(gaps.covers(at[0], kind, begin, end) for kind in (Kind.TICKERS, Kind.OPEN_INTEREST)):
            found.excused["open_interest"] += 1
            continue
        if ts and gaps.covers(at[0], Kind.TICKERS, ts, ts):
            found.excused["open_interest"] += 1
            continue
        found.add("open_interest", (at, ts, value, true, values[0].get(at)))


def _liquidations(quiet: Run, troubled: Run, found: Difference) -> None:
    names = ("instrument", "ts", "position_side", "price", "quantity_base", "occurrence")
    first, second = (set(run.tables[Table.LIQUIDATIONS].select(names).iter_rows()) for run in (quiet, troubled))
    found.compared["liquidations"] += len(first)
    declared = _Gaps(troubled.gaps)  # a quiet run has no excuse to give
    missing, extra = first - second, second - first
    by_look: dict[tuple[str, str, float], list[tuple]] = defaultdict(list)
    for row in sorted(extra):
        by_look[row[0], row[2], round(row[4], 9)].append(row)
    in_gaps: list[tuple] = []
    for row in sorted(missing):
        # A print that has the venue's own instant is that very row, or it is missing. One that has none is told by price and
        # quantity, not long before or after: an order may rest until a line is back.
        looks = by_look[row[0], row[2], round(row[4], 9)] if row[0].startswith(ARRIVAL) else []
        alike = [r for r in looks if r[3] == row[3] and abs(r[1] - row[1]) <= ARRIVAL_NS]
        if alike:
            nearest = min(alike, key=lambda r: abs(r[1] - row[1]))
            by_look[row[0], row[2], round(row[4], 9)].remove(nearest)
            extra.discard(nearest)
            found.loose += 1
        elif declared.covers(row[0], Kind.LIQUIDATIONS, row[1], row[1]):
            found.excused["liquidations"] += 1
            in_gaps.append(row)
        else:
            found.add("liquidations missing", row)
    for row in sorted(extra):
        # An order that rested over a gap and was filled in part meanwhile: what is left of it is told when a line is back.
        rested = [r for r in in_gaps if row[0].startswith(RESTING) and _is_rest(row, r)]
        if rested:
            in_gaps.remove(rested[0])
            found.loose += 1
        else:
            found.add("liquidations too many", row)


def _is_rest(row: tuple, whole: tuple) -> bool:
    same = (row[0], row[2], row[3]) == (whole[0], whole[2], whole[3])
    # The rehearsal leaves half of the contracts, whole ones: a third if there were three.
    return same and 1 / 3 - 1e-9 <= row[4] / whole[4] <= 1 / 2 + 1e-9 and 0 < row[1] - whole[1] <= RESTS_NS


def _say(found: Difference, what: str, key: object, first: dict, second: dict) -> None:
    if key not in second:
        found.add(f"{what} missing", (key, first[key]))
    elif key not in first:
        found.add(f"{what} too many", (key, second[key]))
    else:
        found.add(f"{what} differ", (key, first[key], second[key]))
