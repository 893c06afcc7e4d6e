// The ladder on its canvas. Prices lie where the chart's axis has them.

import { level as levelText, percent, usd } from "../../lib/format";
import type { Frame } from "../../lib/frame";
import { hatch } from "../../lib/heat/drawheat";
import { barScale, curvePlace, decadesBetween, inView, rungText, type Rung } from "../../lib/ladder";
import type { Inks } from "../../lib/heat/scene";
import type { LadderRow } from "../../lib/wire";

export interface LadderScene {
  mark: number;
  short: readonly Rung[];
  long: readonly Rung[];
  /** The other instant's rows on the same prices; null if nothing is compared. */
  other: { short: readonly Rung[]; long: readonly Rung[] } | null;
  /** The engine's own rows of the same step, with intervals and depth, by side and far distance. */
  rows: ReadonlyMap<string, LadderRow>;
  step: number;
  low: number;
  high: number;
  showPrior: boolean;
  showDepth: boolean;
  cursor: number | null;
  mirror: number | null;
  pin: number | null;
  /** Edge of the window of the asymmetry, fraction. */
  within: number;
}

const LABEL = 56;
/** Room below the plot for the axis of the curves. */
export const AXIS = 16;
export const COLUMN = 56;
const CURVE_FLOOR = 1e4;

/** Name of a row, the same for the engine's rows and ours. */
export function rowKey(side: string, far: number): string {
  return `${side}${Math.round(Math.abs(far) * 1e5)}`;
}

export function drawLadder(ctx: CanvasRenderingContext2D, scene: LadderScene, frame: Frame, inks: Inks): void {
  const { width, height, ratio } = frame;
  ctx.save();
  ctx.scale(ratio, ratio);
  ctx.fillStyle = inks.panel;
  ctx.fillRect(0, 0, width, height + AXIS);
  const shorts = inView(scene.short, scene.low, scene.high);
  const longs = inView(scene.long, scene.low, scene.high);
  const others = scene.other
    ? [...inView(scene.other.short, scene.low, scene.high), ...inView(scene.other.long, scene.low, scene.high)]
    : [];
  const scale = barScale([...shorts, ...longs, ...others]);
  const room = { x: LABEL, width: Math.max(20, width - LABEL - 2 * COLUMN) };
  const perUsd = room.width / scale;
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, width, height);
  ctx.clip();
  drawWindow(ctx, scene, frame, inks);
  for (const row of others) drawOther(ctx, row, frame, inks, room.x, perUsd);
  for (const row of [...shorts, ...longs]) drawRow(ctx, row, scene, frame, inks, room.x, perUsd);
  drawCurve(ctx, scene, scene.short, frame, inks.short, room);
  drawCurve(ctx, scene, scene.long, frame, inks.long, room);
  ctx.restore();
  drawAxis(ctx, scene, frame, inks, room, scale);
  drawMark(ctx, scene, frame, inks);
  drawCursor(ctx, scene, frame, inks);
  ctx.restore();
}

/** The window whose ratio is read, as a quiet ground. */
function drawWindow(ctx: CanvasRenderingContext2D, scene: LadderScene, frame: Frame, inks: Inks): void {
  const top = frame.y(scene.mark * (1 + scene.within));
  const bottom = frame.y(scene.mark * (1 - scene.within));
  if (top === null || bottom === null) return;
  ctx.fillStyle = inks.quiet;
  ctx.globalAlpha = 0.09;
  ctx.fillRect(0, top, frame.width, bottom - top);
  ctx.globalAlpha = 1;
}

function drawRow(
  ctx: CanvasRenderingContext2D,
  row: Rung,
  scene: LadderScene,
  frame: Frame,
  inks: Inks,
  x: number,
  perUsd: number,
): void {
  const box = rowBox(row, frame);
  if (!box) return;
  const { top, height } = box;
  const colour = row.side === "short" ? inks.short : inks.long;
  const barHeight = scene.other ? height / 2 : height;
  const data = Math.max(0, row.usd - row.priorUsd) * perUsd;
  const prior = Math.min(row.usd, row.priorUsd) * perUsd;
  ctx.fillStyle = colour;
  ctx.fillRect(x, top, data, barHeight);
  if (scene.showPrior && prior > 0.5) {
    hatch(ctx, colour, x + data, top, prior, barHeight, 0.7);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1;
    ctx.strokeRect(x + data + 0.5, top + 0.5, Math.max(0, prior - 1), Math.max(0, barHeight - 1));
  }
  if (row.measuredUsd > 0) {
    ctx.fillStyle = inks.text;
    ctx.fillRect(x, top + barHeight - 2, row.measuredUsd * perUsd, 2);
  }
  const told = scene.rows.get(rowKey(row.side, row.far));
  if (told) drawTold(ctx, told, scene, inks, x, perUsd, top, barHeight, frame.width - 2 * COLUMN - x);
  if (height < 10) return;
  ctx.font = "11px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  const middle = top + height / 2;
  ctx.textAlign = "left";
  ctx.fillStyle = inks.quiet;
  ctx.fillText(
    percent(row.side === "short" ? row.far : -row.far, scene.step < 0.005 ? 1 : scene.step < 0.01 ? 1 : 0, true),
    4,
    middle,
  );
  ctx.textAlign = "right";
  ctx.fillStyle = inks.text;
  ctx.fillText(rungText(row, "usd"), frame.width - COLUMN - 4, middle);
  ctx.fillStyle = colour;
  ctx.fillText(rungText(row, "sumUsd"), frame.width - 4, middle);
}

/** 80 % interval as a whisker; depth as an outline: where the bar sticks out of it, forced orders outweigh the book. */
function drawTold(
  ctx: CanvasRenderingContext2D,
  told: LadderRow,
  scene: LadderScene,
  inks: Inks,
  x: number,
  perUsd: number,
  top: number,
  height: number,
  room: number,
): void {
  const { lo, hi } = told.usd;
  const middle = Math.round(top + height / 2) + 0.5;
  ctx.lineWidth = 1;
  // The interval is that of data and assumption together.
  if (scene.showPrior && lo !== null && hi !== null && hi > 0 && height >= 6) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, top, room, height);
    ctx.clip();
    // A rim, so that the whisker is seen on its own bar; one that leaves the room has no end there.
    for (const [colour, wide] of [
      [inks.panel, 3],
      [inks.text, 1],
    ] as const) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = wide;
      ctx.beginPath();
      ctx.moveTo(x + lo * perUsd, middle);
      ctx.lineTo(x + hi * perUsd, middle);
      for (const end of [lo, hi]) {
        ctx.moveTo(x + end * perUsd, middle - 2.5);
        ctx.lineTo(x + end * perUsd, middle + 2.5);
      }
      ctx.stroke();
    }
    ctx.restore();
    ctx.lineWidth = 1;
  }
  if (scene.showDepth && told.depth_usd !== null) {
    ctx.strokeStyle = inks.quiet;
    ctx.strokeRect(x + 0.5, top + 0.5, told.depth_usd * perUsd, Math.max(1, height - 1));
  }
}

function drawOther(
  ctx: CanvasRenderingContext2D,
  row: Rung,
  frame: Frame,
  inks: Inks,
  x: number,
  perUsd: number,
): void {
  const box = rowBox(row, frame);
  if (!box) return;
  ctx.strokeStyle = row.side === "short" ? inks.short : inks.long;
  ctx.lineWidth = 1;
  ctx.setLineDash([3, 2]);
  ctx.strokeRect(
    x + 0.5,
    box.top + box.height / 2 + 0.5,
    Math.max(0.5, row.usd * perUsd),
    Math.max(1, box.height / 2 - 1),
  );
  ctx.setLineDash([]);
}

function rowBox(row: Rung, frame: Frame): { top: number; height: number } | null {
  const [a, b] = [frame.y(row.high), frame.y(row.low)];
  if (a === null || b === null) return null;
  const top = Math.round(a) + 1;
  return { top, height: Math.max(1, Math.round(b) - top) };
}

/** The whole book summed outward; its axis is logarithmic and never rescales. */
function drawCurve(
  ctx: CanvasRenderingContext2D,
  scene: LadderScene,
  rows: readonly Rung[],
  frame: Frame,
  colour: string,
  room: { x: number; width: number },
): void {
  const whole = wholeOf(scene);
  if (rows[0]?.left === "all") return;
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  let started = false;
  for (const row of rows) {
    const inner = frame.y(row.side === "short" ? row.low : row.high);
    const outer = frame.y(row.side === "short" ? row.high : row.low);
    if (inner === null || outer === null) continue;
    const x = room.x + curvePlace(row.sumUsd, CURVE_FLOOR, whole) * room.width;
    if (started) ctx.lineTo(x, inner);
    else ctx.moveTo(x, inner);
    ctx.lineTo(x, outer);
    started = true;
  }
  ctx.stroke();
}

export function wholeOf(scene: LadderScene): number {
  const last = (rows: readonly Rung[]): number => rows[rows.length - 1]?.sumUsd ?? 0;
  return Math.max(CURVE_FLOOR * 10, last(scene.short), last(scene.long));
}

/** What the lengths mean: dollars a row above, the curve's decades below. */
function drawAxis(
  ctx: CanvasRenderingContext2D,
  scene: LadderScene,
  frame: Frame,
  inks: Inks,
  room: { x: number; width: number },
  scale: number,
): void {
  ctx.font = "10px system-ui, sans-serif";
  ctx.textBaseline = "top";
  ctx.fillStyle = inks.quiet;
  ctx.strokeStyle = inks.quiet;
  ctx.lineWidth = 1;
  const whole = wholeOf(scene);
  ctx.globalAlpha = 0.25;
  ctx.beginPath();
  for (const usdMark of decadesBetween(CURVE_FLOOR * 10, whole)) {
    const x = Math.round(room.x + curvePlace(usdMark, CURVE_FLOOR, whole) * room.width) + 0.5;
    ctx.moveTo(x, 0);
    ctx.lineTo(x, frame.height);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
  const box = (text: string, x: number, y: number, align: CanvasTextAlign): void => {
    ctx.textAlign = align;
    const wide = ctx.measureText(text).width;
    ctx.fillStyle = inks.panel;
    ctx.fillRect(align === "right" ? x - wide - 2 : x - (align === "center" ? wide / 2 : 0) - 2, y - 1, wide + 4, 13);
    ctx.fillStyle = inks.quiet;
    ctx.fillText(text, x, y);
  };
  box(`full bar ${usd(scale).replace(/\.0+(?=\D|$)/, "")}`, room.x + room.width, 2, "right");
  box("sum, log", 4, frame.height + 3, "left");
  for (const usdMark of decadesBetween(1e6, whole)) {
    const short = usd(usdMark).replace(/\.0+(?=\D|$)/, "");
    box(short, room.x + curvePlace(usdMark, CURVE_FLOOR, whole) * room.width, frame.height + 3, "center");
  }
}

function drawMark(ctx: CanvasRenderingContext2D, scene: LadderScene, frame: Frame, inks: Inks): void {
  const y = frame.y(scene.mark);
  if (y === null) return;
  const at = Math.round(y) + 0.5;
  line(ctx, inks.text, at, frame.width, [5, 4]);
}

function drawCursor(ctx: CanvasRenderingContext2D, scene: LadderScene, frame: Frame, inks: Inks): void {
  for (const [price, colour, dash] of [
    [scene.pin, inks.edge, []],
    [scene.cursor, inks.quiet, [3, 3]],
    [scene.mirror, inks.quiet, [5, 4]],
  ] as const) {
    const y = price === null ? null : frame.y(price);
    if (y === null || price === null || y < 0 || y > frame.height) continue;
    line(ctx, colour, Math.round(y) + 0.5, frame.width - 2 * COLUMN, dash);
    if (price !== scene.cursor) continue;
    ctx.font = "11px system-ui, sans-serif";
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    const text = levelText(price);
    ctx.fillStyle = inks.panel;
    ctx.fillRect(0, y - 15, ctx.measureText(text).width + 8, 14);
    ctx.fillStyle = inks.text;
    ctx.fillText(text, 4, y - 2);
  }
}

function line(ctx: CanvasRenderingContext2D, colour: string, y: number, width: number, dash: readonly number[]): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.setLineDash([...dash]);
  ctx.beginPath();
  ctx.moveTo(0, y);
  ctx.lineTo(width, y);
  ctx.stroke();
  ctx.setLineDash([]);
}
