// How many cells hold how many dollars: the legend is this picture.

import { NOT_KNOWN, type ByteScale, type Tile } from "./tile";
import type { Scale } from "./scale";

/** Count the steps of tiles; cells that hold no data or are not known are not counted. */
export function count(tiles: Iterable<Tile>): Uint32Array<ArrayBuffer> {
  const found = new Uint32Array(256);
  for (const { cells } of tiles) for (let i = 0; i < cells.length; i++) found[cells[i]!]!++;
  found[NOT_KNOWN] = 0;
  // Two bytes a step.
  const counts = new Uint32Array(128);
  for (let step = 1; step < counts.length; step++) counts[step] = found[2 * step]! + found[2 * step + 1]!;
  return counts;
}

/** Join counts to bars of equal width over the scale's decades. */
export function bars(counts: Uint32Array, steps: number, wanted: number): number[] {
  const found = new Array<number>(wanted).fill(0);
  for (let step = 1; step <= steps; step++) {
    const k = Math.min(wanted - 1, Math.floor(((step - 0.5) / steps) * wanted));
    found[k]! += counts[step]!;
  }
  return found;
}

/** Colours by the view's own cells: from the median to the 99.5th percentile of what is there. No dollars can be read off. */
export function shapeScale(counts: Uint32Array, bytes: ByteScale): Scale | null {
  let total = 0;
  for (const n of counts) total += n;
  if (!total) return null;
  const at = (share: number): number => {
    let sum = 0;
    for (let step = 1; step < counts.length; step++) if ((sum += counts[step]!) >= share * total) return step;
    return bytes.steps;
  };
  const usd = (step: number): number => bytes.floorUsd * 10 ** ((bytes.decades * step) / bytes.steps);
  const [low, high] = [at(0.5), at(0.995)];
  return { floorUsd: usd(low - 1), ceilingUsd: usd(Math.max(high, low + 7)) };
}

/** Dollars to the place on the legend, 0 to 1; logarithmic over the bytes' decades. */
export function placeOf(usd: number, bytes: ByteScale): number {
  return Math.min(1, Math.max(0, Math.log10(usd / bytes.floorUsd) / bytes.decades));
}

/** The place on the legend to dollars, on the 1-2-5 steps between. */
export function niceUsd(place: number, bytes: ByteScale): number {
  const exact = Math.log10(bytes.floorUsd) + place * bytes.decades;
  const power = Math.floor(exact + 1e-9);
  const options = [1, 2, 5, 10].map((digit) => power + Math.log10(digit));
  const nearest = options.reduce((best, each) => (Math.abs(each - exact) < Math.abs(best - exact) ? each : best));
  return Number((10 ** nearest).toPrecision(1));
}
