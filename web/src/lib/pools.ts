// What a window of distances holds, computed from the levels that the API sent, so that dragging an edge needs no request.
// The same definitions as the engine: F01 pools, F02 ratio and imbalance, F03 mirror, F05 moves.

export interface LevelRow {
  price: number;
  distance: number;
  long_usd: number;
  short_usd: number;
  prior_usd: number;
}

export interface Curve {
  /** Distance of the far edge of each bucket, ascending, fractions > 0. */
  edges: Float64Array;
  /** Dollars summed outward from the mark up to each edge. */
  sums: Float64Array;
}

export interface Pools {
  short: number;
  long: number;
  /** short / long; null where a side is too small to compare. */
  ratio: number | null;
  imbalance: number | null;
}

/** What a filter took from a side: nothing, some of it, or all. */
export type LeftOut = "none" | "some" | "all";

/** Read it off the filters of an answer. A venue is another map, nothing that was left out of this one. */
export function leftOut(filters: Readonly<Record<string, unknown>> | undefined, side: "short" | "long"): LeftOut {
  const names = Object.keys(filters ?? {}).filter((name) => name !== "venue" && name !== "reading");
  if (filters?.["side"] && filters["side"] !== side && filters["side"] !== "both") return "all";
  return names.some((name) => name !== "side") ? "some" : "none";
}

/** Dollars that a filter let through; no dollars are not zero where it left some out. */
export function knownUsd(usd: number, left: LeftOut): number | null {
  return left === "all" || (left === "some" && usd === 0) ? null : usd;
}

const BUCKET = 0.001;
/** A pool below this share of open interest is too small for a ratio (F02). */
export const TOO_SMALL = 0.0002;

/** Sum one side outward; a level's bucket reaches from |distance| - 0.05 % to |distance| + 0.05 %. */
export function curve(levels: readonly LevelRow[], side: "short" | "long"): Curve {
  const mine = levels
    .filter((row) => (side === "short" ? row.distance > 0 : row.distance < 0))
    .map((row) => ({ edge: Math.abs(row.distance) + BUCKET / 2, usd: side === "short" ? row.short_usd : row.long_usd }))
    .sort((a, b) => a.edge - b.edge);
  const edges = new Float64Array(mine.length);
  const sums = new Float64Array(mine.length);
  let total = 0;
  mine.forEach((row, i) => {
    total += row.usd;
    edges[i] = row.edge;
    sums[i] = total;
  });
  return { edges, sums };
}

/** Dollars within a distance; a bucket that the window cuts counts by the part inside. */
export function within(side: Curve, distance: number): number {
  const { edges, sums } = side;
  if (distance <= 0 || edges.length === 0) return 0;
  const i = lowerBound(edges, distance - 1e-12);
  if (i >= edges.length) return sums[sums.length - 1] ?? 0;
  const before = i > 0 ? (sums[i - 1] ?? 0) : 0;
  const bucket = (sums[i] ?? 0) - before;
  const start = (edges[i] ?? 0) - BUCKET;
  return before + bucket * Math.min(1, Math.max(0, (distance - start) / BUCKET));
}

/** Least distance whose pool reaches the dollars; null if none within the levels does. */
export function distanceTo(side: Curve, dollars: number): number | null {
  const { edges, sums } = side;
  const i = lowerBound(sums, dollars);
  if (dollars <= 0 || i >= sums.length) return null;
  const before = i > 0 ? (sums[i - 1] ?? 0) : 0;
  const bucket = (sums[i] ?? 0) - before;
  const part = bucket > 0 ? (dollars - before) / bucket : 1;
  return (edges[i] ?? 0) - BUCKET * (1 - part);
}

/** Ratio and imbalance of two pools, as F02 with its amendment. */
export function compare(short: number, long: number, openInterest: number): Pools {
  const total = short + long;
  const small = Math.min(short, long) < TOO_SMALL * openInterest;
  return {
    short,
    long,
    ratio: small || long <= 0 ? null : short / long,
    imbalance: total > 0 ? (short - long) / total : null,
  };
}

/** `1.6 : 1`, `1 : 1.6`, `> 10 : 1`, or why there is none. */
export function ratioText(pools: Pools): string {
  if (pools.ratio === null) return "too small to compare";
  const [large, flip] = pools.ratio >= 1 ? [pools.ratio, false] : [1 / pools.ratio, true];
  const text = large > 10 ? "> 10" : large.toFixed(1);
  return flip ? `1 : ${text}` : `${text} : 1`;
}

/** The mirror of a price about the mark (F03). */
export function mirror(mark: number, price: number): number {
  return 2 * mark - price;
}

/** 2 Phi(-|ln(1+d)| / (sigma sqrt(days))): odds of touching a distance with no map at all (F43). */
export function touchOdds(distance: number, sigma1d: number, days: number): number {
  const z = Math.abs(Math.log1p(distance)) / (sigma1d * Math.sqrt(days));
  return 2 * normalCdf(-z);
}

/** Standard normal distribution function; absolute error below 1e-7 (Abramowitz and Stegun 7.1.26 squared twice is not enough,
 * so the continued fraction of erfc is used beyond 2). */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x / Math.SQRT2);
}

function erfc(x: number): number {
  const z = Math.abs(x);
  let value: number;
  if (z < 2) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 60; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
      if (Math.abs(term) < 1e-17) break;
    }
    value = 1 - (2 / Math.sqrt(Math.PI)) * sum;
  } else {
    let fraction = 0;
    for (let n = 60; n >= 1; n--) fraction = n / 2 / (z + fraction);
    value = Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction));
  }
  return x >= 0 ? value : 2 - value;
}

function lowerBound(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
