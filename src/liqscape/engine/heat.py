"""A heatmap of stored instruments: one map per column, each with the state and the weights of its own time."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from liqscape.clock import now_ns
from liqscape.engine.joined import gather
from liqscape.engine.maps import Shares, published_shares
from liqscape.engine.replay import Tape, describe_inputs
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, OutOfRecord
from liqscape.estimate import MODEL, Canvas, Estimator, Kept, MapState, Recipe
from liqscape.model import BarSeries, PriceGrid, PriceKind
from liqscape.model.arrays import Float32Array, FloatArray, IntArray
from liqscape.model.maps import Heatmap, Inputs, Reading
from liqscape.units import parse_duration_ns

ROWS = 1000
_REACH = 0.12  # the picture reaches this far beyond the prices of its window, fraction


@dataclass(frozen=True)
class Sheet:
    """The common axes of a heatmap.

    Parameters
    ----------
    start_ns : int64[columns], ns UTC
    interval_ns
        Width of a column.
    grid
        The rows, from the lowest price up.
    """

    start_ns: IntArray
    interval_ns: int
    grid: PriceGrid


def build_heatmap(
    workspace: Workspace,
    asked: str,
    *,
    as_of_ns: int | None = None,
    window: str | None = None,
    within: float | None = None,
    rows: int = ROWS,
    column_ns: int | None = None,
    venues: tuple[str, ...] = (),
    reading: Reading = Reading.PUBLISHED,
    state_window: str | None = None,
    grid: PriceGrid | None = None,
) -> Heatmap:
    """Return the heatmap of a name. A column uses what was known at its end, so no column ever changes later.

    Parameters
    ----------
    window
        Stretch of time shown; default: the setting.
    within
        Reach of the price axis beyond the window's own range, fraction; default 12 %.
    rows
        Rows at most; a row is never lower than a grid cell.
    column_ns
        Width of a column; default: a bar.
    state_window
        Stretch of bars that builds the state before and in the window; default: the setting, at most one year.
    grid
        Rows of an earlier heatmap, kept while they hold the prices shown: then rows line up with it.

    Raises
    ------
    BadArgument
        If rows, columns or reach make no sense.
    UnknownInstrument, OutOfRecord, NoData
        If nothing stored answers.
    """
    shown_ns = parse_duration_ns(window or workspace.settings.heatmap_window)
    built_ns = parse_duration_ns(state_window or workspace.settings.window)
    reach = _REACH if within is None else within
    if rows < 2 or not 0.0 < reach < 0.9:
        raise BadArgument(f"heatmap: expected rows >= 2 and 0 < within < 90 %, received {rows} and {reach}")
    instruments = workspace.resolve(asked, venues)
    gathered = gather(workspace, instruments, as_of_ns, max(built_ns, shown_ns))
    tapes, at = list(gathered.tapes), gathered.as_of_ns
    sheet = lay_out(tapes, at, shown_ns, column_ns, reach, rows, grid)
    inputs: list[Inputs] = []
    usd, prior = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
    for tape in tapes:
        part, part_prior, described = paint(tape, sheet)
        inputs.append(described)
        if len(inputs) == 1:
            usd, prior = part, part_prior
            continue
        # A column is known if one instrument is known in it; what the others lack there is not made up.
        unknown = np.isnan(usd[:, :1]) & np.isnan(part[:, :1])
        usd = np.where(unknown, np.float32(np.nan), np.nan_to_num(usd) + np.nan_to_num(part))
        prior += part_prior
    share = np.divide(prior, usd, out=np.zeros_like(usd), where=usd > 0.0)
    candles = _candles(tapes[0].bars, sheet)
    if reading is Reading.TRUE:
        shares: Shares = published_shares(workspace, inputs)
        usd /= np.float32(shares.median)
    return Heatmap(
        asked=asked,
        inputs=tuple(inputs),
        as_of_ns=at,
        computed_at_ns=now_ns(),
        start_ns=sheet.start_ns,
        interval_ns=sheet.interval_ns,
        edge_price=sheet.grid.edges,
        usd_per_permille=usd.T,
        prior_share=share.T,
        open=candles[0],
        high=candles[1],
        low=candles[2],
        close=candles[3],
        reading=reading,
        model=MODEL,
        simulated=any(workspace.is_simulated(tape.instrument) for tape in tapes),
        price_kind=PriceKind.MARK if all(t.bars.price_kind is PriceKind.MARK for t in tapes) else PriceKind.LAST,
        filters={"venue": ",".join(venues)} if venues else {},
        left_out=gathered.left_out,
    )


def lay_out(
    tapes: list[Tape],
    as_of_ns: int,
    shown_ns: int,
    column_ns: int | None,
    reach: float,
    rows: int,
    kept: PriceGrid | None = None,
) -> Sheet:
    """Choose the axes: columns end at `as_of_ns`, rows are whole grid cells; `kept` rows are used while they hold the prices."""
    bar_ns = max(tape.bars.interval_ns for tape in tapes)
    width = column_ns or bar_ns
    if width < bar_ns or width % bar_ns:
        raise BadArgument(f"column: expected a multiple of the bars' {bar_ns} ns, received {width} ns")
    last = -(-as_of_ns // width)
    earliest: int = min(int(tape.bars.start_ns[0]) for tape in tapes)
    first = max(last - shown_ns // width, earliest // width)
    if last - first < 1:
        raise OutOfRecord("heatmap: the window holds no bar", hint="Ask for a longer window or another as_of.")
    start: IntArray = np.arange(first, last, dtype=np.int64) * width
    shown = [tape.bars.slice(_from(tape.bars, first * width), len(tape.bars)) for tape in tapes]
    shown = [bars for bars in shown if len(bars)]
    if not shown:
        raise OutOfRecord("heatmap: the window holds no bar", hint="Ask for a longer window or another as_of.")
    step = Recipe().step
    lowest, highest = min(float(bars.low.min()) for bars in shown), max(float(bars.high.max()) for bars in shown)
    if kept is not None and kept.index(lowest * (1.0 - reach / 2)) >= 0 and kept.index(highest * (1.0 + reach / 2)) < kept.size:
        return Sheet(start, width, kept)
    low, high = lowest * (1.0 - reach), highest * (1.0 + reach)
    cells = max(1, math.ceil(math.log(high / low) / step / rows))
    grid = PriceGrid.covering(low, high, cells * step)
    while grid.size > rows:  # both ends cut a row of the absolute grid
        cells += 1
        grid = PriceGrid.covering(low, high, cells * step)
    return Sheet(start, width, grid)


def paint(tape: Tape, sheet: Sheet) -> tuple[Float32Array, Float32Array, Inputs]:
    """Paint one instrument with the scored member.

    The weights of a column are those before the interval it lies in: they are known first (one pass), then the state is
    rolled again over the window and read on the way.

    Returns
    -------
    usd, prior : float32[columns, rows], USD per 0.1 %, and the prior's part; NaN in columns without a bar
    """
    recipe, bars = Recipe(), tape.bars
    estimator = Estimator(bars.interval_ns, tape.learn_interval_ns, (recipe,))
    first = _from(bars, int(sheet.start_ns[0]))
    estimator.observe(bars.slice(0, first), tape.liquidations, int(sheet.start_ns[0]))
    if not estimator.ready:  # the window opens before open interest is known: start at the first bar that has it
        first = int(np.argmax(bars.open_interest_base > 0.0)) + 1
        estimator.observe(bars.slice(0, first), tape.liquidations, int(bars.end_ns[first - 1]))
    state, before = estimator.states[0].copy(), estimator.learners[0].mix()
    kept: list[tuple[IntArray, Kept]] = []
    shown = bars.slice(first, len(bars))
    estimator.observe(shown, tape.liquidations, tape.as_of_ns, kept)
    blocks, row = np.unique(shown.start_ns // tape.learn_interval_ns, return_inverse=True)
    shape = (blocks.size, 2, recipe.tiers, recipe.classes)
    weights = np.broadcast_to(before.weights.reshape(shape[1:]), shape).copy()
    prior_share = np.broadcast_to(before.prior_share.reshape(shape[1:]), shape).copy()
    for index, keep in kept:
        at = np.searchsorted(blocks, index)
        held = (at < blocks.size) & (blocks[np.minimum(at, blocks.size - 1)] == index)
        weights[at[held]] = keep.weights[held].reshape(-1, *shape[1:])
        prior_share[at[held]] = keep.prior_share[held].reshape(-1, *shape[1:])
    latest = estimator.learners[0].mix()
    if kept and blocks[-1] > kept[-1][0][-1]:  # the interval that is not over: the weights as they stand now
        weights[-1], prior_share[-1] = latest.weights.reshape(shape[1:]), latest.prior_share.reshape(shape[1:])
    usd = np.full((sheet.start_ns.size, sheet.grid.size), np.nan, np.float32)  # a column is written at a time: it lies together
    prior = np.zeros_like(usd)
    canvas = Canvas(
        weights=weights * recipe.drawn[:, None],
        prior_share=prior_share,
        column=_last_in_column(shown, sheet),
        top=(sheet.grid.first + sheet.grid.size) * sheet.grid.step,
        row_height=sheet.grid.step,
        usd=usd,
        prior=prior,
    )
    _paint_halves(state, shown, row.astype(np.int64), canvas)
    return usd, prior, describe_inputs(tape, estimator)


def _paint_halves(state: MapState, bars: BarSeries, block: IntArray, canvas: Canvas) -> None:
    """Roll a state over bars and paint, the second half of the bars at the same time as the first.

    Painting takes far longer than rolling, and a copy that was rolled to the middle goes on as the state itself would.
    """
    middle = len(bars) // 2
    later = state.copy()
    later.roll(bars.slice(0, middle), block[:middle], np.zeros(canvas.weights.shape))

    def one(half: tuple[MapState, int, int]) -> None:
        rolled, start, end = half
        part = replace(canvas, column=canvas.column[start:end])
        rolled.roll(bars.slice(start, end), block[start:end], np.zeros(canvas.weights.shape), canvas=part)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, ((state, 0, middle), (later, middle, len(bars)))))


def _from(bars: BarSeries, start_ns: int) -> int:
    """Position of the first bar that starts at or after an instant."""
    return int(np.searchsorted(bars.start_ns, start_ns))


def _last_in_column(bars: BarSeries, sheet: Sheet) -> IntArray:
    """int64[bars], the column that ends with each bar, or -1 if a later bar lies in the same column."""
    column = (bars.start_ns - sheet.start_ns[0]) // sheet.interval_ns
    last = np.append(column[1:] != column[:-1], True) if column.size else np.empty(0, bool)
    return np.where(last & (column >= 0) & (column < sheet.start_ns.size), column, -1).astype(np.int64)


def _candles(bars: BarSeries, sheet: Sheet) -> FloatArray:
    """float64[4, columns], open, high, low, close of each column, NaN where no bar is known."""
    out = np.full((4, sheet.start_ns.size), np.nan)
    column = (bars.start_ns - sheet.start_ns[0]) // sheet.interval_ns
    inside = (column >= 0) & (column < sheet.start_ns.size)
    column, index = np.unique(column[inside], return_index=True)
    if column.size == 0:
        return out
    first = int(np.flatnonzero(inside)[0])
    cuts = index + first
    ends = np.append(cuts[1:], first + int(inside.sum())) - 1
    out[0, column] = bars.open[cuts]
    out[1, column] = np.maximum.reduceat(bars.high[: ends[-1] + 1], cuts)
    out[2, column] = np.minimum.reduceat(bars.low[: ends[-1] + 1], cuts)
    out[3, column] = bars.close[ends]
    return out
