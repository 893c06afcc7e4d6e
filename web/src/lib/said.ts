// How the page says what the answers hold; the same words as the shell.

import { age, UNKNOWN, usd } from "./format";
import type { Odds } from "./wire";

const VENUES: Record<string, string> = {
  binance: "Binance",
  bybit: "Bybit",
  okx: "OKX",
  hyperliquid: "Hyperliquid",
  bitget: "Bitget",
  gate: "Gate",
  htx: "HTX",
  mexc: "MEXC",
  kucoin: "KuCoin",
  deribit: "Deribit",
  kraken: "Kraken",
  simulated: "Simulated",
};

export function venueName(venue: string): string {
  return VENUES[venue] ?? venue;
}

/** `binance:BTCUSDT` is of `binance`. */
export function venueOf(instrument: string): string {
  return instrument.split(":")[0] ?? instrument;
}

/** `16 %`; small ones keep a digit, none is ever printed as 0 unless it is. */
export function oddsText(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  if (value === 0) return "0 %";
  if (value < 0.001) return "< 0.1 %";
  if (value < 0.02) return `${(value * 100).toFixed(1)} %`;
  if (value > 0.995 && value < 1) return "> 99 %";
  return `${Math.round(value * 100)} %`;
}

/** What a cell of the heatmap holds: its data in dollars per 0.1 %, and whether most of the cell is assumption. */
export function cellText(cell: { usd: number | null; assumed: boolean }): string {
  if (cell.usd === null) return `cell ${UNKNOWN}`;
  if (cell.usd === 0) return cell.assumed ? "cell: assumption only" : "cell: below the scale";
  return `cell: data about ${usd(cell.usd)} per 0.1 %${cell.assumed ? ", and more assumption than that" : ""}`;
}

/** Odds of a simulation with their standard error where it shows: `55 ±4 %`. */
export function simulatedOdds(odds: Odds | null | undefined): string {
  if (!odds) return UNKNOWN;
  const text = oddsText(odds.value);
  return odds.error < 0.005 ? text : `${text.replace(" %", "")} ±${Math.round(odds.error * 100)} %`;
}

/** `+$817`, `-$1,131`: dollars of price, not of positions. */
export function priceMove(move: number | null | undefined): string {
  if (move == null || !Number.isFinite(move)) return UNKNOWN;
  const size = Math.abs(move);
  const decimals = size >= 100 ? 0 : size >= 1 ? 2 : 5;
  const text = size.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return `${move < 0 ? "-" : "+"}$${text}`;
}

/** Two odds beside each other: `3 | 4 %`, `< 0.1 | < 0.1 %`. */
export function oddsPair(up: number | null | undefined, down: number | null | undefined): string {
  const [first, second] = [oddsText(up), oddsText(down)];
  return second.endsWith(" %") ? `${first.replace(" %", "")} | ${second}` : `${first} | ${second}`;
}

/** Funding of an interval in basis points: `+0.1 bp/8h`. */
export function fundingText(rate: number | null | undefined, intervalS: number | null | undefined): string {
  if (rate == null || !Number.isFinite(rate)) return UNKNOWN;
  const bp = rate * 1e4;
  const digits = Math.abs(bp) >= 0.095 ? 1 : Math.abs(bp) >= 0.0095 ? 2 : 3;
  const over = intervalS ? `/${Number((intervalS / 3600).toFixed(1))}h` : "";
  return `${bp > 0 ? "+" : ""}${bp.toFixed(digits)} bp${over}`;
}

/** 0.01 % per 8 h is 10.95 % a year: simple interest, as venues quote it. */
export function fundingPerYear(rate: number | null | undefined, intervalS: number | null | undefined): number | null {
  if (rate == null || !intervalS) return null;
  return (rate * 365 * 86_400) / intervalS;
}

/** Longs pay shorts when it is positive. */
export function whoPays(rate: number | null | undefined): string {
  if (rate == null) return "not known";
  return rate > 0 ? "longs pay shorts" : rate < 0 ? "shorts pay longs" : "nobody pays";
}

/** `1.6 : 1`, `1 : 1.6`: a ratio short : long whichever side is greater. */
export function ratioWords(ratio: number | null | undefined): string {
  if (ratio == null || !(ratio > 0)) return UNKNOWN;
  const [large, flip] = ratio >= 1 ? [ratio, false] : [1 / ratio, true];
  const text = large > 10 ? "> 10" : large.toFixed(1);
  return flip ? `1 : ${text}` : `${text} : 1`;
}

/** Which side holds more, in words, so that colour is not needed. */
export function moreOf(ratio: number | null | undefined): string {
  if (ratio == null) return "";
  return ratio > 1 ? "more shorts" : ratio < 1 ? "more longs" : "even";
}

/** `$50M`: budgets of one line. */
export function dollars(list: readonly (number | null)[]): string {
  return list
    .map((value) =>
      usd(value)
        .replace(/(\.\d*?)0+(?=[KMBT]|$)/, "$1")
        .replace(/\.(?=[KMBT]|$)/, ""),
    )
    .join(", ");
}

/** A slider's dollars without digits that say nothing: `$250M`, `$1.2B`. */
export function shortUsd(value: number | null | undefined): string {
  return value == null ? UNKNOWN : dollars([value]);
}

/** `3 s`; nothing is younger than now. */
export function ageText(seconds: number | null | undefined): string {
  return age(seconds);
}

const STEPS: Record<string, string> = {
  rising: "rises with distance: the farther, the denser",
  falling: "falls with distance: densest close by",
  uneven: "uneven: no staircase",
};

export function staircaseText(kind: string): string {
  return STEPS[kind] ?? kind;
}

const OUTCOMES: Record<string, string> = {
  heavy: "heavy side first",
  thin: "thin side first",
  neither: "neither side",
};

export function outcomeText(outcome: string): string {
  return OUTCOMES[outcome] ?? outcome;
}
