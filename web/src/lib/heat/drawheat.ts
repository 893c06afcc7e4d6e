// The heatmap on the chart's canvas: tiles of the fitting level, cut into strips, edges on whole device pixels.

import type { Bitmaps, Readings } from "./bitmaps";
import { levelFor, edgePrice, tilesFor, type Grid } from "./levels";
import { strips } from "./paint";
import type { Place, Scene } from "./scene";
import { usd } from "../format";
import { dollars } from "./tile";
import type { Held, Tiles } from "./tiles";

/** Zoomed in so far, each cell gets its number. CSS pixels. */
const VALUE_WIDTH = 40;
const VALUE_HEIGHT = 11;
const EDGE_WIDTH = 3;

export function drawHeat(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  place: Place,
  bitmaps: Bitmaps,
  readings: Readings,
): void {
  const { tiles } = scene;
  if (!tiles || !scene.showHeat) return;
  const grid = tiles.grid;
  const seen = seenColumns(scene, place);
  if (!seen) return;
  ctx.save();
  clipTo(ctx, scene, place, seen);
  ctx.imageSmoothingEnabled = false;
  const level = levelFor(1 / place.perColumn, grid.levels);
  const rowsPerPixel = grid.rows / Math.max(1, place.y(edgePrice(grid, 0)) - place.y(edgePrice(grid, grid.rows)));
  for (const { index } of tilesFor(grid, level, grid.first + seen[0], grid.first + seen[1])) {
    drawTile(ctx, scene, tiles, level, index, place, bitmaps, rowsPerPixel);
  }
  drawUnknown(ctx, scene, tiles, place, readings, seen);
  if (place.perColumn >= EDGE_WIDTH * place.ratio) drawEdges(ctx, scene, tiles, place, readings, seen);
  drawValues(ctx, scene, tiles, place, bitmaps, seen);
  ctx.restore();
}

/** First and last column on the canvas that the scene has; null if none. */
export function seenColumns(scene: Scene, place: Place): [number, number] | null {
  const end = Math.min(scene.columns, scene.clip ?? Infinity);
  const left = (0 - place.x(0)) / place.perColumn;
  const from = Math.max(0, Math.floor(left));
  const to = Math.min(end - 1, Math.ceil(left + place.width / place.perColumn));
  return to >= from ? [from, to] : null;
}

function clipTo(ctx: CanvasRenderingContext2D, scene: Scene, place: Place, seen: [number, number]): void {
  const right = scene.clip === null ? place.x(seen[1] + 1) : Math.min(place.x(seen[1] + 1), place.x(scene.clip));
  ctx.beginPath();
  ctx.rect(place.x(seen[0]), 0, right - place.x(seen[0]), place.height);
  ctx.clip();
}

/** Draw one tile; while it is on its way, the coarser one that is here stands in. */
function drawTile(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  tiles: Tiles,
  level: number,
  index: number,
  place: Place,
  bitmaps: Bitmaps,
  rowsPerPixel: number,
): void {
  const grid = tiles.grid;
  const width = grid.tile_columns;
  let held: Held | null = tiles.get(level, index);
  let from = 0;
  let to = width;
  for (let up = 1; !held && level + up < grid.levels; up++) {
    held = tiles.peek(level + up, index >> up);
    from = ((index * width) >> up) - (index >> up) * width;
    to = from + width / 2 ** up;
  }
  if (!held) return;
  const picture = bitmaps.picture(held, rowsPerPixel);
  const start = index * width * 2 ** level - grid.first;
  const x0 = place.x(start);
  const x1 = place.x(start + width * 2 ** level);
  const yOf = (row: number): number => place.y(edgePrice(grid, row));
  if (scene.showPrior) {
    // The picture has holes where assumption stands alone.
    ctx.fillStyle = bitmaps.hatching(ctx, scene.inks.assumed, place.ratio);
    const top = Math.max(0, Math.round(yOf(grid.rows)));
    ctx.fillRect(
      Math.max(0, x0),
      top,
      Math.min(place.width, x1) - Math.max(0, x0),
      Math.min(place.height, Math.round(yOf(0))) - top,
    );
  }
  const cuts = strips(grid.rows, picture.pool, yOf);
  for (let k = 0; k + 1 < cuts.length; k++) {
    const low = cuts[k]!;
    const high = cuts[k + 1]!;
    const bottom = Math.round(yOf(low));
    const top = Math.round(yOf(high));
    if (bottom < 0 || top > place.height || bottom <= top) continue;
    const line = picture.height - high / picture.pool;
    ctx.drawImage(picture.image, from, line, to - from, (high - low) / picture.pool, x0, top, x1 - x0, bottom - top);
  }
}

/** Nothing known is not "nothing there": hatched, the other way than assumption. */
function drawUnknown(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  tiles: Tiles,
  place: Place,
  readings: Readings,
  seen: [number, number],
): void {
  const grid = tiles.grid;
  const top = Math.max(0, Math.round(place.y(edgePrice(grid, grid.rows))));
  const bottom = Math.min(place.height, Math.round(place.y(edgePrice(grid, 0))));
  const level = levelFor(1 / place.perColumn, grid.levels);
  const span = 2 ** level;
  for (const { index } of tilesFor(grid, level, grid.first + seen[0], grid.first + seen[1])) {
    const held = tiles.peek(level, index);
    if (!held) continue;
    for (const [from, to] of readings.unknown(held)) {
      const start = Math.max(0, (index * grid.tile_columns + from) * span - grid.first);
      const end = Math.min(grid.columns, (index * grid.tile_columns + to) * span - grid.first);
      if (end > start)
        hatch(ctx, scene.inks.hatch, place.x(start), top, place.x(end) - place.x(start), bottom - top, place.ratio);
    }
  }
}

/** Slanted lines, falling to the right; assumption on the ladder and what is not known on the chart. */
export function hatch(
  ctx: CanvasRenderingContext2D,
  colour: string,
  x: number,
  y: number,
  width: number,
  height: number,
  ratio: number,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = Math.max(1, ratio);
  const step = 6 * ratio;
  ctx.beginPath();
  // Lines lie on one fixed pattern of the canvas, so that neighbouring boxes join.
  for (let c = Math.floor((x - y - height) / step) * step; c < x + width - y; c += step) {
    ctx.moveTo(c + y, y);
    ctx.lineTo(c + y + height, y + height);
  }
  ctx.stroke();
  ctx.restore();
}

/** One pixel where price swept a band away. */
function drawEdges(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  tiles: Tiles,
  place: Place,
  readings: Readings,
  seen: [number, number],
): void {
  const grid = tiles.grid;
  const thick = Math.max(1, Math.round(place.ratio));
  ctx.fillStyle = scene.inks.edge;
  for (const { index } of tilesFor(grid, 0, grid.first + seen[0], grid.first + seen[1])) {
    const held = tiles.peek(0, index);
    if (!held) continue;
    for (const [column, from, to] of readings.edges(held, scene.floorByte)) {
      const at = index * grid.tile_columns + column - grid.first;
      if (at < seen[0] || at > seen[1]) continue;
      const top = Math.round(place.y(edgePrice(grid, to)));
      const bottom = Math.round(place.y(edgePrice(grid, from)));
      ctx.fillRect(place.x(at), top, thick, Math.max(1, bottom - top));
    }
  }
}

/** Dollars in the cells, once there is room. */
function drawValues(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  tiles: Tiles,
  place: Place,
  bitmaps: Bitmaps,
  seen: [number, number],
): void {
  const grid: Grid = tiles.grid;
  if (!scene.bytes || place.perColumn < VALUE_WIDTH * place.ratio) return;
  ctx.font = `${10 * place.ratio}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (let row = 0; row < grid.rows; row++) {
    const top = place.y(edgePrice(grid, row + 1));
    const bottom = place.y(edgePrice(grid, row));
    if (bottom - top < VALUE_HEIGHT * place.ratio) return;
    if (bottom < 0 || top > place.height) continue;
    for (let column = seen[0]; column <= seen[1]; column++) {
      const byte = tiles.byte(grid.first + column, row);
      if (byte === null || byte < Math.max(2, scene.floorByte)) continue;
      const value = dollars(byte, scene.bytes);
      if (value === null) continue;
      const x = (place.x(column) + place.x(column + 1)) / 2;
      ctx.fillStyle = bitmaps.isBright(byte) ? "#0d1420" : "#ffffff";
      ctx.fillText(usd(value), x, (top + bottom) / 2);
    }
  }
}
