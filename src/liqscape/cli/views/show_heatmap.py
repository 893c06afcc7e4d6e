"""`liqscape heatmap`: one map per column of time, drawn as shades under candles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from liqscape.analytics import choose_scale, classify, scale_between
from liqscape.analytics.heat import DollarScale
from liqscape.api.frames import frame
from liqscape.api.pictures import plot
from liqscape.cli.emit import Answer, emit, note
from liqscape.cli.options import Guards, Picture, Show, Target
from liqscape.cli.question import Question, duration, fraction, guard, option, picture_path, prices, read
from liqscape.cli.screen import BOLD, DIM, Piece, Screen
from liqscape.cli.views.badge import badge_style, badge_text, caveats_of, meta
from liqscape.cli.views.words import SHOUT, closing, percent, price, said, stamps
from liqscape.clock import iso
from liqscape.engine.heat import build_heatmap
from liqscape.engine.issue import issue
from liqscape.engine.maps import parse_reading
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Heatmap
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S, format_duration, format_usd, parse_duration_ns

# Seven classes from dim blue over grey to yellow, even in lightness; one colour means the same dollars on both sides.
COLORS = ("#18305f", "#31446b", "#4e576c", "#6b6c73", "#8d8577", "#b5a16d", "#f2dc50")
SHADES = "░░▒▒▓▓█"
_DATA_ROWS, _DATA_COLUMNS = 300, 720  # of numbers given out, unless --rows and --interval say otherwise
_NICE_NS = tuple(
    [m * NS_PER_MINUTE for m in (1, 5, 15, 30)]
    + [h * NS_PER_HOUR for h in (1, 2, 4, 6, 8, 12)]
    + [d * NS_PER_DAY for d in (1, 2, 7)]
)
_LABEL = 11  # characters of the price axis
_LISTED = 20  # rows of the last column that are listed where shades cannot be drawn


@dataclass(frozen=True)
class Shape:
    """What of the heatmap is asked for, as typed; None leaves the choice to the program."""

    window: str | None
    state_window: str | None
    within: str | None
    rows: int | None
    interval: str | None
    scale: str | None


def show_heatmap(target: Target, guards: Guards, show: Show, picture: Picture, shape: Shape, reading: str) -> None:
    """Answer `liqscape heatmap`."""
    question = Question.of("heatmap", target, show)
    path, screen = picture_path(picture.out), Screen.of(show, question.zone)
    span = prices("--scale", shape.scale) if shape.scale is not None else _locked(question)
    numbers = show.json or show.csv or show.ndjson or show.parquet is not None
    found = _build(question, shape, reading, numbers, path is not None, screen)
    guard(guards, question, found)
    scale = choose_scale(found) if span is None else scale_between(*span)
    badge = question.badge(found)
    caveats = caveats_of(question, found, "heatmap")
    if path is not None:
        plot(found, path, scale=span, badge=badge)
        note(show, f"wrote {path}")
        if not numbers:
            return

    def text(screen: Screen) -> None:
        if found.simulated:
            screen.line((SHOUT, "shout"))
        title = f"{found.asked}: where positions would be liquidated, and what the price swept"
        screen.line((said(found, title), BOLD))
        screen.joined([*stamps(screen, question, found), badge_text(badge)], badge_style(badge))
        screen.blank()
        if screen.bars:
            say_shades(screen, found, scale)
        else:
            say_last_column(screen, found)
        screen.blank()
        closing(screen, found, caveats)

    flags = [
        word for name in ("window", "within", "rows", "interval", "scale") for word in option(f"--{name}", getattr(shape, name))
    ]
    answer = Answer(
        command="heatmap",
        data=heatmap_data(found, scale) if show.json else None,
        meta=meta(question, found, caveats),
        text=text,
        table=lambda: frame(found),
        links=question.links(found.as_of_ns, flags),
    )
    emit(show, answer, screen)


def _locked(question: Question) -> tuple[float, float] | None:
    """Return the dollar scale that the settings fix, None if they do not."""
    settings = question.workspace.settings
    if settings.heatmap_floor_usd is None or settings.heatmap_ceiling_usd is None:
        return None
    return settings.heatmap_floor_usd, settings.heatmap_ceiling_usd


def _build(question: Question, shape: Shape, reading: str, numbers: bool, drawn: bool, screen: Screen) -> Heatmap:
    """Build the heatmap as fine as its use needs: whole for a picture, coarser for numbers, as the screen for text."""
    window = duration("--window", shape.window) if shape.window else question.workspace.settings.heatmap_window
    columns = _DATA_COLUMNS if numbers else screen.width - _LABEL
    rows = _DATA_ROWS if numbers else max(8, min(screen.height - 14, 40)) * 4
    column_ns = None if drawn else _column(parse_duration_ns(window), columns)
    if shape.interval is not None:
        column_ns = read("--interval", shape.interval, parse_duration_ns)
    more: dict[str, Any] = {} if drawn and shape.rows is None else {"rows": shape.rows or rows}
    found = build_heatmap(
        question.workspace,
        question.asked,
        as_of_ns=question.as_of_ns,
        window=window,
        within=None if shape.within is None else fraction("--within", shape.within),
        column_ns=column_ns,
        venues=question.venues,
        reading=parse_reading(reading),
        state_window=None if shape.state_window is None else duration("--state-window", shape.state_window),
        **more,
    )
    issue(question.workspace, found)
    return found


def _column(window_ns: int, columns: int) -> int:
    """Return the narrowest usual width whose columns fit."""
    return next((width for width in _NICE_NS if width >= 5 * NS_PER_MINUTE and window_ns <= columns * width), _NICE_NS[-1])


def heatmap_data(found: Heatmap, scale: DollarScale) -> dict[str, Any]:
    """Return the data of `heatmap --json`: `usd[row][column]`, rows ascending in price, 4 digits, null where nothing is known."""
    return {
        "interval_s": found.interval_ns / NS_PER_S,
        "columns": [iso(int(start)) for start in found.start_ns],
        "edge_price": found.edge_price,
        "unit": "USD per 0.1 % of price",
        "usd": _rounded(found.usd_per_permille),
        "prior_share": _rounded(found.prior_share, 2),
        "candles": {name: getattr(found, name) for name in ("open", "high", "low", "close")},
        "scale": scale,
    }


def _rounded(cells: np.ndarray[Any, Any], digits: int = 4) -> FloatArray:
    """Round to significant digits."""
    values = cells.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(values > 0.0, 10.0 ** (digits - 1 - np.floor(np.log10(values))), 1.0)
        return np.round(values * power) / power


def say_shades(screen: Screen, found: Heatmap, scale: DollarScale) -> None:
    """Print the cells as shades, the newest column at the right, with candles over them and a dollar scale below."""
    lines = max(8, min(screen.height - 14, 40))
    bands = np.array_split(np.arange(found.usd_per_permille.shape[0]), lines)
    shown = slice(max(0, found.start_ns.size - (screen.width - _LABEL)), None)
    for band in reversed([band for band in bands if band.size]):
        cells = found.usd_per_permille[band][:, shown]
        known = ~np.isnan(cells).all(axis=0)
        usd = np.where(known, np.nan_to_num(cells).max(axis=0), np.nan)
        low, high = float(found.edge_price[band[0]]), float(found.edge_price[band[-1] + 1])
        candle = (found.low[shown] < high) & (found.high[shown] >= low)
        screen.row(
            f"{price(float(f'{0.5 * (low + high):.5g}')):>{_LABEL - 1}} ",
            *_cells(screen, classify(usd, scale), candle),
            strip=False,
        )
    _say_times(screen, found, shown)
    _say_scale(screen, scale)


def _cells(screen: Screen, classes: Any, candle: Any) -> list[Piece]:
    """Return the pieces of one line; runs of one look are one piece."""
    pieces: list[tuple[str, str]] = []
    for klass, touched in zip(classes.tolist(), candle.tolist(), strict=True):
        glyph = " " if klass <= 0 or screen.shades else SHADES[klass - 1]
        style = f"on {COLORS[klass - 1]}" if klass > 0 and screen.shades else ""
        if touched:
            glyph, style = "┃", f"bold white {style}".strip()
        elif klass < 0:
            glyph, style = "·", "dim"
        if pieces and pieces[-1][1] == style:
            pieces[-1] = (pieces[-1][0] + glyph, style)
        else:
            pieces.append((glyph, style))
    return [piece if piece[1] else piece[0] for piece in pieces]


def _say_times(screen: Screen, found: Heatmap, shown: slice) -> None:
    starts = found.start_ns[shown]
    line = [" "] * (_LABEL + starts.size + 12)
    for at in range(0, starts.size, 16):
        stamp = screen.instant(int(starts[at]))
        label = stamp[5:10] if found.interval_ns >= 2 * NS_PER_HOUR else stamp[5:16]
        if _LABEL + at + len(label) <= screen.width:
            line[_LABEL + at : _LABEL + at + len(label)] = label
    screen.row(("".join(line).rstrip(), DIM))


def _say_scale(screen: Screen, scale: DollarScale) -> None:
    pieces: list[Piece] = [("USD per 0.1 %  ", DIM)]
    for k, edge in enumerate(scale.edges_usd[:-1]):
        pieces.append(("  ", f"on {COLORS[k]}") if screen.shades else SHADES[k])
        pieces.append((f" {format_usd(edge, digits=2)}  ", DIM))
    screen.line(*pieces, (f"candles {'┃'}", DIM))


def say_last_column(screen: Screen, found: Heatmap) -> None:
    """List the densest rows of the last known column, where shades cannot be drawn."""
    known = np.flatnonzero(~np.isnan(found.usd_per_permille[0]))
    if not known.size:
        return
    column = int(known[-1])
    usd = np.nan_to_num(found.usd_per_permille[:, column])
    densest = np.sort(np.argsort(-usd, kind="stable")[:_LISTED])[::-1]
    start = screen.instant(int(found.start_ns[column]))
    screen.line(f"densest rows of the column from {start} ({format_duration(found.interval_ns)}), USD per 0.1 % of price")
    for row in densest.tolist():
        middle = 0.5 * float(found.edge_price[row] + found.edge_price[row + 1])
        data = percent(1.0 - float(found.prior_share[row, column]))
        screen.row(f"{price(float(f'{middle:.6g}')):>10}  {format_usd(float(usd[row])):>8}  data {data}")
