// The levels of a map as curves: what each side holds out to any distance, and how much of that is assumption. Made once per
// answer, so that a dragged edge costs two searches and no request.

import { compare, curve, within, type Curve, type LevelRow, type Pools } from "./pools";
import type { MapData } from "./wire";

export interface Landscape {
  mark: number;
  openInterest: number;
  short: Curve;
  long: Curve;
  /** Dollars that are assumption, both sides. */
  prior: { short: Curve; long: Curve };
}

/** What a window holds, without an interval: levels are medians. */
export interface Held extends Pools {
  priorShare: number | null;
}

/** Above this share a number is more assumption than data: no ratio is shown. */
export const PRIOR_LIMIT = 0.5;

export function landscapeOf(data: MapData): Landscape | null {
  const mark = data.ladder.mark_price;
  if (mark === null || data.levels.length === 0) return null;
  const rows = data.levels.map(levelRow);
  const prior = rows.map((row) => ({
    ...row,
    long_usd: row.distance < 0 ? row.prior_usd : 0,
    short_usd: row.distance > 0 ? row.prior_usd : 0,
  }));
  return {
    mark,
    openInterest: data.totals.open_interest_usd ?? 0,
    short: curve(rows, "short"),
    long: curve(rows, "long"),
    prior: { short: curve(prior, "short"), long: curve(prior, "long") },
  };
}

function levelRow(row: Record<string, number | null>): LevelRow {
  const at = (name: string): number => row[name] ?? 0;
  return {
    price: at("price"),
    distance: at("distance"),
    long_usd: at("long_usd"),
    short_usd: at("short_usd"),
    prior_usd: at("prior_usd"),
  };
}

export function heldWithin(land: Landscape, distance: number): Held {
  const short = within(land.short, distance);
  const long = within(land.long, distance);
  const total = short + long;
  const prior = within(land.prior.short, distance) + within(land.prior.long, distance);
  return { ...compare(short, long, land.openInterest), priorShare: total > 0 ? Math.min(1, prior / total) : null };
}

/** Whether a number is more assumption than data. */
export function isPriorHeavy(share: number | null | undefined): boolean {
  return share != null && share > PRIOR_LIMIT;
}

/** Points of a cumulative curve, thinned to what a small drawing can show: [distance, dollars]. */
export function outline(side: Curve, from: number, to: number, points: number): [number, number][] {
  const found: [number, number][] = [];
  const step = Math.log(to / from) / Math.max(1, points - 1);
  for (let i = 0; i < points; i++) {
    const distance = from * Math.exp(step * i);
    found.push([distance, within(side, distance)]);
  }
  return found;
}
