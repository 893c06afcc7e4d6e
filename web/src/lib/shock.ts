// The shock slider: a logarithmic axis of dollars. $10M to $5B is what makes sense for a market with $5B of open interest or
// more; a smaller one gets a smaller axis, in the same proportion.

const LOW = 10e6;
const HIGH = 5e9;
const FULL_SIZE = 5e9;

export interface Shocks {
  low: number;
  high: number;
}

export function shocksFor(openInterest: number | null): Shocks {
  if (openInterest === null || !(openInterest > 0) || openInterest >= FULL_SIZE) return { low: LOW, high: HIGH };
  const scale = openInterest / FULL_SIZE;
  return { low: niceDollars(LOW * scale), high: niceDollars(HIGH * scale) };
}

/** 0 to 1. */
export function placeOfShock(usd: number, shocks: Shocks): number {
  const place = Math.log(usd / shocks.low) / Math.log(shocks.high / shocks.low);
  return Math.min(1, Math.max(0, place));
}

/** Dollars at a place, on two digits: a slider cannot mean more. */
export function shockAt(place: number, shocks: Shocks): number {
  const usd = shocks.low * (shocks.high / shocks.low) ** Math.min(1, Math.max(0, place));
  return Number(usd.toPrecision(2));
}

/** The nearest of 1, 2, 5 times a power of ten. */
export function niceDollars(usd: number): number {
  const power = 10 ** Math.floor(Math.log10(usd));
  const digit = usd / power;
  const nice = digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10;
  return nice * power;
}
