// From a number on screen to what is known about it: the answer that held it, its commands, whether it was measured.

import { address, type Words } from "./api";
import { percent, usd } from "./format";
import type { Estimate, Links, Meta } from "./wire";

/** How a number is known. */
export type Kind = "measured" | "realised" | "modelled" | "assumed" | "scored";

export const KINDS: Record<Kind, string> = {
  measured: "measured: read from a venue as it is",
  realised: "realised: it happened and was published",
  modelled: "modelled: estimated from public data",
  scored: "scored: compared with what happened, out of sample",
  assumed: "odds without any map: from volatility alone",
};

/** What a resource holds that a fact needs. */
export interface Held {
  answer: { meta: Meta; links: Links } | null;
  asked: string;
}

/** The address of an answer from the words it was asked with; an answer about now is pinned to its own instant. */
export function addressOf(asked: string, asOf: string | null): string {
  const cut = asked.indexOf(" ");
  const path = cut < 0 ? asked : asked.slice(0, cut);
  let words: Words = {};
  if (cut >= 0) {
    try {
      words = JSON.parse(asked.slice(cut + 1)) as Words;
    } catch {
      words = {};
    }
  }
  const pinned = words.as_of ?? asOf;
  return address(path, /\/accuracy(\/|$)/.test(path) ? words : { ...words, as_of: pinned });
}

export function curlLine(origin: string, path: string): string {
  return `curl -s '${origin}${path}'`;
}

/** `$498M [372–663]` needs a level: `80 % interval`. */
export function intervalText(estimate: Estimate | null, write: (value: number) => string): string {
  if (!estimate || estimate.median == null) return "no interval: it was not estimated";
  if (estimate.lo == null || estimate.hi == null) return "no interval known";
  const level = estimate.level == null ? "" : `${Math.round(estimate.level * 100)} % interval `;
  return `${level}${write(estimate.lo)} to ${write(estimate.hi)}`;
}

/** How the interval of a number is written: dollars, a share or a distance in per cent, anything else plainly. */
export function writerFor(unit: string): (value: number) => string {
  if (unit.startsWith("USD")) return usd;
  if (/^(distance|share)/.test(unit)) return (value) => percent(value, 2);
  return (value) => value.toFixed(2);
}
