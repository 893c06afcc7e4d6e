// What the chart's own primitive draws, and where things lie on its canvas.

import type { Candles } from "./candles";
import type { ByteScale } from "./tile";
import type { Tiles } from "./tiles";

/** A forced order that was published; `hollow` where the feed is known to leave some out. */
export interface Dot {
  /** Column, may be fractional. */
  column: number;
  /** Column from which on it was known: the end of its interval. */
  known: number;
  price: number;
  usd: number;
  side: "long" | "short";
  hollow: boolean;
}

/** A horizontal line with its label at the left. */
export interface Line {
  price: number;
  colour: string;
  label: string;
  dashed: boolean;
}

export interface Inks {
  up: string;
  down: string;
  outline: string;
  text: string;
  quiet: string;
  hatch: string;
  assumed: string;
  edge: string;
  short: string;
  long: string;
  ground: string;
  panel: string;
}

export interface Scene {
  tiles: Tiles | null;
  bytes: ByteScale | null;
  /** Byte of the colour scale's floor: bands below it are not drawn, so their ends are not either. */
  floorByte: number;
  candles: Candles | null;
  /** Absolute number of column 0, seconds a column, columns. */
  first: number;
  intervalS: number;
  columns: number;
  /** Columns from this one on lie after the shown instant and stay hidden; null hides nothing. */
  clip: number | null;
  /** Column where the shown instant stands, if what came after is on screen. */
  instant: number | null;
  lines: Line[];
  dots: Dot[];
  showHeat: boolean;
  /** Whether cells that are mostly assumption, with less data than the floor, are hatched. */
  showPrior: boolean;
  inks: Inks;
}

/** Columns and prices to device pixels. */
export interface Place {
  /** Left edge of a column. */
  x(column: number): number;
  /** Vertical place of a price, not rounded. */
  y(price: number): number;
  /** Device pixels a column. */
  perColumn: number;
  width: number;
  height: number;
  /** Device pixels a CSS pixel. */
  ratio: number;
}
