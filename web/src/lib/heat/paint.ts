// Cells to pixels. Pure: bytes in, colours out; what to draw where is the primitive's business.

import { NOT_KNOWN, NOTHING, type Tile } from "./tile";

/** How many rows become one line of a picture, so that no thin band falls between two lines: 1, 2, 4, 8. */
export function poolFor(rowsPerPixel: number): number {
  let pool = 1;
  while (pool < 8 && rowsPerPixel > pool * 1.2) pool *= 2;
  return pool;
}

/** A tile as RGBA words, highest price first; `pool` neighbouring rows are joined by the largest known cell. */
export function paint(
  tile: Tile,
  colours: Uint32Array,
  pool: number,
): { words: Uint32Array<ArrayBuffer>; height: number } {
  const { cells, columns, rows } = tile;
  const height = Math.ceil(rows / pool);
  const words = new Uint32Array(columns * height);
  for (let c = 0; c < columns; c++) {
    const start = c * rows;
    if (pool === 1) {
      let to = (rows - 1) * columns + c;
      for (let r = 0; r < rows; r++, to -= columns) words[to] = colours[cells[start + r]!]!;
      continue;
    }
    for (let line = 0; line < height; line++) {
      const end = start + Math.min(rows, (line + 1) * pool);
      let most = 0;
      for (let i = start + line * pool; i < end; i++) {
        const next = (cells[i]! + 1) & 255;
        if (next > most) most = next;
      }
      words[(height - 1 - line) * columns + c] = colours[(most + 255) & 255]!;
    }
  }
  return { words, height };
}

/** Stretches of columns of a tile of which nothing is known: [first, end). */
export function unknownRuns(tile: Tile): [number, number][] {
  const runs: [number, number][] = [];
  for (let c = 0; c < tile.columns; c++) {
    if (!isUnknown(tile, c)) continue;
    const last = runs[runs.length - 1];
    if (last && last[1] === c) last[1] = c + 1;
    else runs.push([c, c + 1]);
  }
  return runs;
}

function isUnknown(tile: Tile, column: number): boolean {
  const end = (column + 1) * tile.rows;
  for (let i = column * tile.rows; i < end; i++) if (tile.cells[i] !== NOT_KNOWN) return false;
  return true;
}

/** Where a band ends because price swept it: [column, first row, end row), the cell before holding at least `least`. */
export function sweptEdges(tile: Tile, least: number): [number, number, number][] {
  const { cells, columns, rows } = tile;
  const edges: [number, number, number][] = [];
  for (let c = 1; c < columns; c++) {
    const before = (c - 1) * rows;
    const now = c * rows;
    for (let r = 0; r < rows; r++) {
      if (!ended(cells[before + r]!, cells[now + r]!, least)) continue;
      const last = edges[edges.length - 1];
      if (last && last[0] === c && last[2] === r) last[2] = r + 1;
      else edges.push([c, r, r + 1]);
    }
  }
  return edges;
}

/** A sweep empties a cell at once; what closes slowly only fades. */
function ended(before: number, now: number, least: number): boolean {
  return before !== NOT_KNOWN && before >= least && now === NOTHING;
}

/** Rows of the grid cut into strips in which price is straight enough on the axis: edges of rows, ascending. */
export function strips(rows: number, pool: number, y: (row: number) => number): number[] {
  const edges = [0];
  const whole = Math.ceil(rows / pool) * pool;
  let start = 0;
  while (start < whole) {
    let length = whole - start;
    while (length > pool && bent(start, start + length, y))
      length = Math.max(pool, Math.floor(length / 2 / pool) * pool);
    start += length;
    edges.push(start);
  }
  return edges;
}

/** Whether the middle of a stretch lies half a pixel or more off the straight line. */
function bent(from: number, to: number, y: (row: number) => number): boolean {
  return Math.abs(y((from + to) / 2) - (y(from) + y(to)) / 2) > 0.5;
}
