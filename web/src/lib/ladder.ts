// Rungs of the ladder: the map's 0.1 % levels summed to rows, each side outward from the mark, and the whole book's curve.

import { level as priceText, percent, usd } from "./format";
import { knownUsd, type LeftOut, type LevelRow } from "./pools";
import type { Fact } from "./state.svelte";
import type { LadderRow } from "./wire";

export interface Level extends LevelRow {
  measured_usd?: number | null;
}

export interface Rung {
  side: "short" | "long";
  /** Edges by distance from the mark, fractions > 0: nearer and farther. */
  near: number;
  far: number;
  /** Prices of both edges, ascending. */
  low: number;
  high: number;
  usd: number;
  priorUsd: number;
  measuredUsd: number;
  /** Everything from the mark up to the far edge, whatever of it is in view. */
  sumUsd: number;
  /** What a filter took from this side. */
  left: LeftOut;
}

export const STEPS: readonly number[] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
const LEVEL = 0.001;

/** The least step whose rows are at least `least` pixels high where `pixels` show `span` (a fraction of the mark). */
export function stepFor(span: number, pixels: number, least: number): number {
  return STEPS.find((step) => (step / span) * pixels >= least - 1e-6) ?? STEPS[STEPS.length - 1]!;
}

/** Sum levels to rows of a step; rows that hold nothing are left out at the far ends only. */
export function rungs(
  levels: readonly Level[],
  mark: number,
  step: number,
  side: "short" | "long",
  left: LeftOut = "none",
): Rung[] {
  const per = Math.round(step / LEVEL);
  const rows: Rung[] = [];
  for (const level of levels) {
    const away = side === "short" ? level.distance : -level.distance;
    const usd = side === "short" ? level.short_usd : level.long_usd;
    if (away <= 0) continue;
    const k = Math.floor(Math.floor(away / LEVEL + 1e-6) / per);
    const row = (rows[k] ??= blank(side, k, step, mark));
    row.usd += usd;
    // A level's prior is not told apart by side; it has one side only, for the other has no orders there.
    row.priorUsd += usd > 0 ? level.prior_usd : 0;
    row.measuredUsd += usd > 0 ? (level.measured_usd ?? 0) : 0;
  }
  let sum = 0;
  for (let k = 0; k < rows.length; k++) {
    const row = (rows[k] ??= blank(side, k, step, mark));
    sum += row.usd;
    row.sumUsd = sum;
    row.left = left;
  }
  return rows;
}

function blank(side: "short" | "long", k: number, step: number, mark: number): Rung {
  const near = k * step;
  const far = (k + 1) * step;
  const prices = side === "short" ? [mark * (1 + near), mark * (1 + far)] : [mark * (1 - far), mark * (1 - near)];
  return {
    side,
    near,
    far,
    low: prices[0]!,
    high: prices[1]!,
    usd: 0,
    priorUsd: 0,
    measuredUsd: 0,
    sumUsd: 0,
    left: "none",
  };
}

/** The rows without their assumption, summed outward again. */
export function dataOnly(rows: readonly Rung[]): Rung[] {
  let sumUsd = 0;
  return rows.map((row) => {
    const usd = Math.max(0, row.usd - row.priorUsd);
    sumUsd += usd;
    return { ...row, usd, priorUsd: 0, sumUsd };
  });
}

/** A row's dollars, or its sum's, as text. */
export function rungText(row: Rung, which: "usd" | "sumUsd"): string {
  return usd(knownUsd(row[which], row.left));
}

/** Rows whose stretch of prices overlaps [low, high], nearest first. */
export function inView(rows: readonly Rung[], low: number, high: number): Rung[] {
  return rows.filter((row) => row.high > low && row.low < high);
}

/** The largest row in view, rounded up to 1, 2 or 5 of a power of ten: bars do not jump with every cell that moves. */
export function barScale(rows: readonly Rung[]): number {
  const most = Math.max(0, ...rows.map((row) => row.usd));
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return power * ([1, 2, 5, 10].find((digit) => digit * power >= most) ?? 10);
}

/** Place of a sum on the curve's axis, 0 to 1: logarithmic from `floor` to the whole book, the same however far one zooms. */
export function curvePlace(usd: number, floor: number, whole: number): number {
  if (usd <= floor) return 0;
  return Math.min(1, Math.log(usd / floor) / Math.log(whole / floor));
}

/** Powers of ten between two dollars, for the curve's axis. */
export function decadesBetween(floor: number, whole: number): number[] {
  const found: number[] = [];
  for (let p = Math.ceil(Math.log10(floor)); 10 ** p <= whole; p++) found.push(10 ** p);
  return found;
}

/** What is known about a row: the server's own row with its interval, once it has come, else the sum of the map's levels. */
export function factOfRung(
  row: Rung,
  told: LadderRow | null,
): Pick<Fact, "title" | "shown" | "unit" | "estimate" | "formula"> {
  const sign = row.side === "short" ? 1 : -1;
  const between = `${percent(sign * row.near, 1, true)} and ${percent(sign * row.far, 1, true)}`;
  const share = row.usd > 0 ? `; ${percent(1 - row.priorUsd / row.usd, 0)} of them data` : "";
  return {
    title: `${row.side === "short" ? "shorts" : "longs"} between ${between}`,
    shown: rungText({ ...row, usd: told?.usd.median ?? row.usd }, "usd"),
    unit: `USD at the level, from ${priceText(row.low)} to ${priceText(row.high)}`,
    estimate: knownUsd(row.usd, row.left) === null ? null : (told?.usd ?? null),
    formula: `sum of the 0.1 % levels of ${row.side} positions in the row${share}; from the mark out to its far edge ${rungText(
      { ...row, sumUsd: told?.sum_out_usd.median ?? row.sumUsd },
      "sumUsd",
    )}`,
  };
}
