// What the two-sided crosshair says: a price, its mirror about the mark, what both sides hold up to there, and the odds of
// touching either with no map at all.

import { UNKNOWN } from "./format";
import { compare, knownUsd, leftOut, mirror, ratioText, touchOdds, within, type Curve } from "./pools";

export interface CrossReading {
  price: number;
  mirror: number;
  /** Signed fractions of the mark. */
  distance: number;
  mirrorDistance: number;
  /** In daily standard deviations; null if the volatility is unknown. */
  sigmas: number | null;
  /** Null where a filter left them out. */
  shortUsd: number | null;
  longUsd: number | null;
  ratio: string;
  odds: { horizon: string; price: number; mirror: number }[];
}

const HORIZONS: readonly [string, number][] = [
  ["4 h", 4 / 24],
  ["24 h", 1],
  ["7 d", 7],
];

/** Read a price against the newest map; null at the mark itself, where nothing is to be read. */
export function readCross(
  mark: number,
  price: number,
  short: Curve,
  long: Curve,
  openInterest: number,
  sigma1d: number | null,
  filters?: Readonly<Record<string, unknown>>,
): CrossReading | null {
  const distance = price / mark - 1;
  if (!Number.isFinite(distance) || Math.abs(distance) < 1e-6 || price <= 0) return null;
  const other = mirror(mark, price);
  const reach = Math.abs(distance);
  const pools = compare(within(short, reach), within(long, reach), openInterest);
  const shortUsd = knownUsd(pools.short, leftOut(filters, "short"));
  const longUsd = knownUsd(pools.long, leftOut(filters, "long"));
  return {
    price,
    mirror: other,
    distance,
    mirrorDistance: -distance,
    sigmas: sigma1d ? Math.abs(Math.log1p(distance)) / sigma1d : null,
    shortUsd,
    longUsd,
    ratio: shortUsd === null || longUsd === null ? UNKNOWN : ratioText(pools),
    odds: sigma1d
      ? HORIZONS.map(([horizon, days]) => ({
          horizon,
          price: touchOdds(distance, sigma1d, days),
          mirror: touchOdds(Math.max(-0.999, -distance), sigma1d, days),
        }))
      : [],
  };
}
