// Candles, lines, dots over the heatmap.

import { candleColumns, join, type Joined } from "./candles";
import { seenColumns } from "./drawheat";
import type { Dot, Place, Scene } from "./scene";

/** Joined candles of a scene, made once for each width. */
export class CandleCache {
  private key = "";
  private made: Joined | null = null;
  private of: unknown = null;

  get(scene: Scene, n: number): Joined | null {
    if (!scene.candles) return null;
    const end = Math.min(scene.candles.length, scene.clip === null ? Infinity : Math.ceil(scene.clip));
    const key = `${scene.first}/${n}/${end}`;
    if (key !== this.key || this.of !== scene.candles) {
      this.made = join(scene.candles, scene.first, n, end);
      this.key = key;
      this.of = scene.candles;
    }
    return this.made;
  }
}

export function drawCandles(ctx: CanvasRenderingContext2D, scene: Scene, place: Place, cache: CandleCache): void {
  const seen = seenColumns(scene, place);
  const n = candleColumns(place.perColumn / place.ratio, scene.intervalS);
  const candles = cache.get(scene, n);
  if (!seen || !candles) return;
  const wide = place.perColumn * n;
  const body = Math.max(1, Math.round(Math.min(wide * 0.66, wide - place.ratio)));
  const wick = Math.max(1, Math.round(place.ratio));
  const outline = Math.max(1, Math.round(place.ratio * 0.75));
  const end = scene.clip ?? scene.columns;
  const first = Math.max(0, Math.floor((seen[0] + candles.offset) / n));
  const last = Math.min(candles.length - 1, Math.floor((seen[1] + candles.offset) / n));
  for (const inked of [false, true]) {
    for (let k = first; k <= last; k++) {
      const open = candles.open[k]!;
      if (Number.isNaN(open)) continue;
      const close = candles.close[k]!;
      const left = Math.max(0, k * n - candles.offset);
      const middle = (place.x(left) + place.x(Math.min(end, (k + 1) * n - candles.offset))) / 2;
      const x = Math.round(middle - wick / 2);
      const yHigh = Math.round(place.y(candles.high[k]!));
      const yLow = Math.round(place.y(candles.low[k]!));
      const top = Math.round(place.y(Math.max(open, close)));
      const height = Math.max(1, Math.round(place.y(Math.min(open, close))) - top);
      const bodyX = Math.round(middle - body / 2);
      if (!inked) {
        // A dark (or light) rim first, so that candles stand off bright cells.
        ctx.fillStyle = scene.inks.outline;
        ctx.fillRect(x - outline, yHigh - outline, wick + 2 * outline, yLow - yHigh + 2 * outline);
        ctx.fillRect(bodyX - outline, top - outline, body + 2 * outline, height + 2 * outline);
        continue;
      }
      ctx.fillStyle = close >= open ? scene.inks.up : scene.inks.down;
      ctx.fillRect(x, yHigh, wick, Math.max(1, yLow - yHigh));
      ctx.fillRect(bodyX, top, body, height);
    }
  }
}

export function drawLines(ctx: CanvasRenderingContext2D, scene: Scene, place: Place): void {
  const thick = Math.max(1, Math.round(place.ratio));
  ctx.font = `${11 * place.ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  for (const line of scene.lines) {
    const y = Math.round(place.y(line.price));
    if (!(y >= 0 && y <= place.height)) continue;
    ctx.strokeStyle = line.colour;
    ctx.lineWidth = thick;
    ctx.setLineDash(line.dashed ? [5 * place.ratio, 4 * place.ratio] : []);
    ctx.beginPath();
    ctx.moveTo(0, y + 0.5);
    ctx.lineTo(place.width, y + 0.5);
    ctx.stroke();
    ctx.setLineDash([]);
    if (!line.label) continue;
    const width = ctx.measureText(line.label).width;
    ctx.fillStyle = scene.inks.panel;
    ctx.globalAlpha = 0.8;
    ctx.fillRect(3 * place.ratio, y - 15 * place.ratio, width + 6 * place.ratio, 14 * place.ratio);
    ctx.globalAlpha = 1;
    ctx.fillStyle = line.colour;
    ctx.fillText(line.label, 6 * place.ratio, y - 2 * place.ratio);
  }
  if (scene.instant === null) return;
  const x = place.x(scene.instant);
  ctx.fillStyle = scene.inks.text;
  ctx.fillRect(x, 0, thick, place.height);
  ctx.fillText("shown instant", x + 4 * place.ratio, 16 * place.ratio);
  ctx.fillStyle = scene.inks.ground;
  ctx.globalAlpha = 0.35;
  ctx.fillRect(x + thick, 0, place.width - x, place.height);
  ctx.globalAlpha = 1;
}

/** Area grows with dollars. */
export function dotRadius(usd: number, ratio: number): number {
  return Math.min(14, Math.max(1.5, Math.sqrt(usd / 1e6) * 2.2)) * ratio;
}

/** The largest dots in view: one for each dozen pixels, so that they mark events and do not hide the chart. */
function largestSeen(scene: Scene, place: Place): Dot[] {
  const left = -place.x(0) / place.perColumn;
  const right = left + place.width / place.perColumn;
  // A sum that ended after the shown instant holds what nobody knew then.
  const now = scene.clip ?? Infinity;
  const seen = scene.dots.filter((dot) => dot.column >= left && dot.column < right && dot.known <= now);
  const most = Math.max(12, Math.round(place.width / place.ratio / 13));
  if (seen.length <= most) return seen;
  return seen.sort((a, b) => b.usd - a.usd).slice(0, most);
}

export function drawDots(ctx: CanvasRenderingContext2D, scene: Scene, place: Place): void {
  for (const dot of largestSeen(scene, place)) {
    const x = place.x(dot.column);
    const y = place.y(dot.price);
    ctx.beginPath();
    ctx.arc(x, y, dotRadius(dot.usd, place.ratio), 0, 2 * Math.PI);
    const ink = dot.side === "short" ? scene.inks.short : scene.inks.long;
    if (!dot.hollow) {
      ctx.fillStyle = ink;
      ctx.fill();
    }
    // A rim first: the dot must be seen on cells of any colour.
    for (const [colour, wide] of [
      [scene.inks.outline, 3],
      [ink, 1.25],
    ] as const) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = wide * place.ratio;
      ctx.stroke();
    }
  }
}
