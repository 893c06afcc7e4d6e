// Published forced orders as dots: the feed's sums by interval have no price, so longs stand at the interval's lowest price and
// shorts at its highest, at the column that reached it: where they were forced, as far as that is known.

import { extremes, type Candles } from "./heat/candles";
import type { Dot } from "./heat/scene";
import type { LiquidationsData } from "./wire";

/** Intervals that hold less than this are left out: a dot that cannot be seen says nothing. */
const LEAST_USD = 50_000;

export function dotsOf(data: LiquidationsData, candles: Candles, first: number, intervalS: number): Dot[] {
  const made: Dot[] = [];
  const of = new Map(data.totals.map((each) => [each.instrument, each]));
  for (const row of data.intervals) {
    const total = of.get(String(row["instrument"]));
    const length = total?.interval_s ?? null;
    const start = Date.parse(String(row["ts"])) / 1000;
    if (!total || length === null || !Number.isFinite(start)) continue;
    const from = start / intervalS - first;
    const to = (start + length) / intervalS - first;
    const seen = extremes(candles, from, to - 1);
    if (!seen) continue;
    const where = (plane: Float32Array, price: number): number =>
      plane.indexOf(price, Math.max(0, Math.floor(from))) + 0.5;
    const hollow = total.completeness !== "all";
    for (const [side, price, column] of [
      ["long", seen[0], where(candles.low, seen[0])],
      ["short", seen[1], where(candles.high, seen[1])],
    ] as const) {
      const usd = Number(row[`${side}_usd`] ?? 0);
      if (usd >= LEAST_USD) made.push({ column, known: to, price, usd, side, hollow });
    }
  }
  return made;
}
