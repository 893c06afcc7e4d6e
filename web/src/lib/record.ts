// How right the map has been, in words and rows: the badge of the header and its drawer.

import { interval, percent, UNKNOWN } from "./format";
import type { AccuracyData, Badge, Estimate } from "./wire";
import type { SideScores, Verdict } from "./openapi";

export interface BadgeLine {
  state: "tested" | "weak" | "untested" | "off";
  word: string;
  rest: string;
}

/** `TESTED: lift 1.3 [1.1–1.5]`. A record that does not speak for this map any more is none, but OFF stays OFF. */
export function badgeLine(badge: Badge | null): BadgeLine {
  const told = badge?.state ?? "untested";
  const state = told === "tested" || told === "weak" || told === "off" ? told : "untested";
  if (!badge || state === "untested") return { state: "untested", word: "UNTESTED", rest: "" };
  const lift = badge.lift?.median == null ? "" : `lift ${interval(badge.lift, (value) => value.toFixed(2))}`;
  if (badge.stale !== null && state !== "off")
    return { state: "untested", word: `${state.toUpperCase()}, STALE`, rest: lift };
  return { state, word: state.toUpperCase(), rest: lift };
}

/** What a state means, for someone who reads it the first time. */
export const MEANINGS: Record<BadgeLine["state"], string> = {
  tested:
    "At least 60 days were scored walk-forward, and the map placed liquidations better than distance alone with 90 % confidence.",
  weak: "It was scored, but does not clearly beat what distance from the price says alone.",
  untested: "No out-of-sample record speaks for this map yet. Read every number as a hypothesis.",
  off: "Out of sample the map did not hold: worse than distance alone, or its bands do not cover. There is no headline.",
};

export interface ScoreCell {
  text: string;
  estimate: Estimate | null;
}

export interface ScoreRow {
  what: string;
  means: string;
  long: ScoreCell;
  short: ScoreCell;
}

/** A score of the record with its interval, whose level is that of all scores: 90 %. */
export function scored(found: { value: number; lo: number; hi: number }): Estimate {
  return { median: found.value, lo: found.lo, hi: found.hi, level: 0.9, prior_share: null };
}

/** Scores per side, long and short beside each other. */
export function scoreRows(verdict: Verdict): ScoreRow[] {
  const of = (side: string): SideScores | undefined => verdict.sides.find((each) => each.side === side);
  const cell = (side: string, name: string, write: (value: number) => string): ScoreCell => {
    const value = of(side)?.values[name];
    const estimate = value ? scored(value as { value: number; lo: number; hi: number }) : null;
    return { text: estimate ? interval(estimate, write) : UNKNOWN, estimate };
  };
  const share = (value: number): string => percent(value, 0);
  const rows: [string, string, string, (value: number) => string][] = [
    [
      "d2",
      "skill, given the path",
      "share of the deviance of hourly liquidations that the map explains; 0 is none",
      share,
    ],
    ["coverage_80", "coverage of 80 % bands", "share of scored hours inside their own band; 80 % is right", share],
  ];
  return rows.map(([name, what, means, write]) => ({
    what,
    means,
    long: cell("long", name, write),
    short: cell("short", name, write),
  }));
}

/** The last thing that went wrong, in words; null if nothing did. */
export function lastFailure(data: AccuracyData): string | null {
  const faults = data.ledger?.faults ?? [];
  const fault = faults[faults.length - 1];
  if (fault) return `ledger entry ${fault.number}: ${fault.what}`;
  const reasons = data.badge.reasons;
  return reasons.length && data.badge.state !== "tested" ? reasons.join("; ") : null;
}
