"""`liqscape heatmap`: one map per column of time, drawn as shades under candles."""

from __future__ import annotations

from typing import Any

import numpy as np

from liqscape.api.answers.history import DATA_COLUMNS, DATA_ROWS, Shape, answer_heatmap
from liqscape.api.pictures import plot
from liqscape.api.question import Words
from liqscape.cli.emit import Answer, emit, note
from liqscape.cli.options import Guards, Picture, Show, Target
from liqscape.cli.question import picture_path, question_of
from liqscape.cli.screen import BOLD, DIM, Piece, Screen
from liqscape.cli.views.badge import badge_style, badge_text
from liqscape.cli.views.words import SHOUT, closing, percent, price, said, stamps
from liqscape.model.heat_scale import DollarScale, Part, classify, dollars_of, part_of
from liqscape.model.maps import Heatmap
from liqscape.units import NS_PER_HOUR, format_duration, format_usd

# Seven classes from dim blue over grey to yellow, even in lightness; one colour means the same dollars on both sides.
COLORS = ("#18305f", "#31446b", "#4e576c", "#6b6c73", "#8d8577", "#b5a16d", "#f2dc50")
SHADES = "░░▒▒▓▓█"
ASSUMED = "/"
_LABEL = 11  # characters of the price axis
_LISTED = 20  # rows of the last column that are listed where shades cannot be drawn


def show_heatmap(target: Target, guards: Guards, show: Show, picture: Picture, shape: Shape, reading: str) -> None:
    """Answer `liqscape heatmap`: whole for a picture, coarser for numbers, as the screen for text."""
    question = question_of("heatmap", target, show)
    path, screen = picture_path(picture.out), Screen.of(show, question.zone)
    numbers = show.json or show.csv or show.ndjson or show.parquet is not None
    words = Words(reading=reading, max_age=guards.max_age, require=guards.require)
    columns: int | None = DATA_COLUMNS if numbers else screen.width - _LABEL
    rows: int | None = DATA_ROWS if numbers else max(8, min(screen.height - 14, 40)) * 4
    if path is not None:
        columns = rows = None
    answered = answer_heatmap(question, words, shape, columns=columns, rows=rows, numbers=show.json)
    parts = answered.parts
    found, badge = parts.found, question.badge(parts.found)
    if path is not None:
        plot(found, path, scale=parts.locked, badge=badge)
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
            say_shades(screen, found, parts.scale)
        else:
            say_last_column(screen, found)
        screen.blank()
        closing(screen, found, parts.caveats)

    emit(show, Answer(answered.command, answered.data, answered.meta, text, answered.table, answered.links), screen)


def say_shades(screen: Screen, found: Heatmap, scale: DollarScale) -> None:
    """Print the cells as shades, the newest column at the right, with candles over them and a dollar scale below.

    Shades are dollars of data; where only assumption reaches the scale's floor there is a slash.
    """
    part = part_of(found)
    cells = dollars_of(found, part)
    assumption = found.usd_per_permille - cells
    lines = max(8, min(screen.height - 14, 40))
    bands = np.array_split(np.arange(found.usd_per_permille.shape[0]), lines)
    shown = slice(max(0, found.start_ns.size - (screen.width - _LABEL)), None)
    for band in reversed([band for band in bands if band.size]):
        known = ~np.isnan(cells[band][:, shown]).all(axis=0)
        usd = np.where(known, np.nan_to_num(cells[band][:, shown]).max(axis=0), np.nan)
        assumed = np.nan_to_num(assumption[band][:, shown]).max(axis=0) >= scale.floor_usd
        low, high = float(found.edge_price[band[0]]), float(found.edge_price[band[-1] + 1])
        candle = (found.low[shown] < high) & (found.high[shown] >= low)
        screen.row(
            f"{price(float(f'{0.5 * (low + high):.5g}')):>{_LABEL - 1}} ",
            *_cells(screen, classify(usd, scale), candle, assumed),
            strip=False,
        )
    _say_times(screen, found, shown)
    _say_scale(screen, scale, part)


def _cells(screen: Screen, classes: Any, candle: Any, assumed: Any) -> list[Piece]:
    """Return the pieces of one line; runs of one look are one piece."""
    pieces: list[tuple[str, str]] = []
    for klass, touched, prior in zip(classes.tolist(), candle.tolist(), assumed.tolist(), strict=True):
        glyph = " " if klass <= 0 or screen.shades else SHADES[klass - 1]
        style = f"on {COLORS[klass - 1]}" if klass > 0 and screen.shades else ""
        if touched:
            glyph, style = "┃", f"bold white {style}".strip()
        elif klass < 0:
            glyph, style = "·", "dim"
        elif klass == 0 and prior:
            glyph, style = ASSUMED, "dim"
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


def _say_scale(screen: Screen, scale: DollarScale, part: Part) -> None:
    what = "USD of data per 0.1 %  " if part == "data" else "USD per 0.1 %, all of it assumption  "
    pieces: list[Piece] = [(what, DIM)]
    for k, edge in enumerate(scale.edges_usd[:-1]):
        pieces.append(("  ", f"on {COLORS[k]}") if screen.shades else SHADES[k])
        pieces.append((f" {format_usd(edge, digits=2)}  ", DIM))
    screen.line(*pieces, (f"assumption only {ASSUMED}  candles {'┃'}", DIM))


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
