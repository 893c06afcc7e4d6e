// Which tiles a view needs.

import type { HeatData } from "../wire";
import type { ByteScale } from "./tile";

export interface Grid {
  /** Name of this grid; another price range or step is another grid. */
  grid: string;
  /** Absolute number of the first column: its start over its width. */
  first: number;
  interval_s: number;
  columns: number;
  rows: number;
  price0: number;
  /** Ratio of two neighbouring edges, as its natural logarithm. */
  log_step: number;
  levels: number;
  tile_columns: number;
  floor_usd: number;
  decades: number;
  steps: number;
  /** Whose dollars the cells hold; all where nothing is data. */
  part: "data" | "all";
  revision: number;
  /** Of each level: first and last absolute tile. */
  tiles: [number, number][];
}

export interface Wanted {
  level: number;
  index: number;
}

/** The level at which a column is 0.75 to 1.5 device pixels wide, never finer than there are columns. */
export function levelFor(columnsPerPixel: number, levels: number): number {
  if (!(columnsPerPixel > 1)) return 0;
  return Math.min(levels - 1, Math.max(0, Math.round(Math.log2(columnsPerPixel))));
}

/** The tiles of a level that overlap absolute columns [from, to] of the finest level. */
export function tilesFor(grid: Grid, level: number, from: number, to: number): Wanted[] {
  const span = grid.tile_columns * 2 ** level;
  const [lowest, highest] = grid.tiles[level] ?? [0, -1];
  const first = Math.min(highest, Math.max(lowest, Math.floor(from / span)));
  const last = Math.min(highest, Math.max(lowest, Math.floor(to / span)));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => ({ level, index: first + i }));
}

/** Price of an edge of a row; row 0 is the lowest. */
export function edgePrice(grid: Grid, row: number): number {
  return grid.price0 * Math.exp(grid.log_step * row);
}

/** Row that holds a price; may lie outside the grid. */
export function rowOf(grid: Grid, price: number): number {
  return Math.floor(Math.log(price / grid.price0) / grid.log_step);
}

/** The grid of an answer: its numbers are never null, though the API's description lets them. */
export function gridOf(data: HeatData): Grid {
  return { ...(data as unknown as Grid), tiles: data.tiles.map(([first, last]) => [first, last]) };
}

export function bytesOf(grid: Grid): ByteScale {
  return { floorUsd: grid.floor_usd, decades: grid.decades, steps: grid.steps };
}
