// The registered test of attraction (F23) as a card: its outcome first, then what was seen beside what chance alone gives.

import { percent, UNKNOWN } from "./format";
import type { Estimate } from "./wire";

export interface CardRow {
  name: string;
  /** What it means, for someone who reads it the first time. */
  means: string;
  text: string;
  unit: string;
  estimate: Estimate | null;
}

export interface Card {
  outcome: "found" | "not found" | "opposite";
  sentence: string;
  tested: string;
  rows: readonly CardRow[];
}

const HEADS: Record<Card["outcome"], string> = {
  "not found": "NOT FOUND",
  opposite: "THE OPPOSITE WAS FOUND",
  found: "FOUND",
};

export function headOf(card: Card): string {
  return HEADS[card.outcome];
}

/** Read a stored card; null if it is none, or one of a version that lacks what must be said. */
export function cardOf(stored: Readonly<Record<string, unknown>> | null): Card | null {
  if (!stored) return null;
  const number = (name: string): number | null => {
    const value = stored[name];
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  };
  const text = (name: string): string => (typeof stored[name] === "string" ? stored[name] : "");
  const outcome = text("verdict");
  const [beta, from, to] = [number("beta"), number("from_ns"), number("to_ns")];
  if (beta === null || from === null || to === null || !(outcome in HEADS)) return null;
  const day = (ns: number): string => new Date(ns / 1e6).toISOString().slice(0, 10);
  const two = (value: number | null, sign = false): string =>
    value === null ? UNKNOWN : `${sign && value > 0 ? "+" : ""}${value.toFixed(2)}`;
  const row = (
    name: string,
    means: string,
    shown: string,
    unit: string,
    estimate: Estimate | null = null,
  ): CardRow => ({
    name,
    means,
    text: shown,
    unit,
    estimate,
  });
  const hours = number("horizon_h");
  const size = number("size");
  return {
    outcome: outcome as Card["outcome"],
    sentence: text("sentence"),
    tested: `${number("windows") ?? UNKNOWN} windows of ${hours ?? UNKNOWN} h on ${number("days") ?? UNKNOWN} days, ${day(from)} to ${day(to)}, ${text("model")}`,
    rows: [
      row(
        "effect (beta)",
        "log-odds of a touch for each standard deviation more on the map; 0 is none",
        `${two(beta, true)} [${two(number("lo"), true)} to ${two(number("hi"), true)}]`,
        "log-odds per standard deviation",
        { median: beta, lo: number("lo"), hi: number("hi"), level: number("level"), prior_share: null },
      ),
      row(
        "p, corrected",
        "how often chance alone gives as much, for two claims; from 0.05 on it is not found",
        two(number("p_holm")),
        "probability",
      ),
      row("dense levels touched", "share of windows", percent(number("touched_level")), "share of windows"),
      row(
        "their mirrors",
        "the same distance on the other side",
        percent(number("touched_mirror")),
        "share of windows",
      ),
      row("expected", "of a price without memory", percent(number("expected")), "share of windows"),
      row(
        "smallest visible drift",
        "what would have been found in 80 % of cases; less could hide",
        number("smallest_drift") === null ? "none that was tried" : two(number("smallest_drift")),
        "sigma sqrt(H) a window",
      ),
      row(
        "false alarms of the test",
        `where there is nothing to find, on ${number("size_markets") ?? UNKNOWN} simulated markets; 5 % is right`,
        percent(size),
        "share of markets",
      ),
    ],
  };
}
