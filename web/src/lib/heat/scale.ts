// Bytes to colours: seven logarithmic classes, the same dollars the same colour on both sides and at any zoom.

import { byteOf, isAssumed, NOT_KNOWN, type ByteScale } from "./tile";

export type Palette = "cividis" | "inferno" | "grey";

// Seven classes, even in lightness from the background to the brightest; checked with simulated colour blindness.
export const PALETTES: Record<Palette, readonly string[]> = {
  cividis: ["#18305f", "#31446b", "#4e576c", "#6b6c73", "#8d8577", "#b5a16d", "#f2dc50"],
  inferno: ["#2a0b46", "#57106e", "#85216b", "#b63655", "#dd5139", "#f58414", "#f6d746"],
  grey: ["#2b2f36", "#41464f", "#5a606b", "#767d89", "#949ba8", "#b5bcc8", "#e3e8ef"],
};

export interface Scale {
  floorUsd: number;
  ceilingUsd: number;
  /** The eight edges, where they are not of equal ratio: the server's own scale has round ones. */
  edgesUsd?: readonly number[];
}

/** Eight edges of seven classes; with equal ratios unless they were given. */
export function edges(scale: Scale): readonly number[] {
  if (scale.edgesUsd?.length === 8) return scale.edgesUsd;
  const ratio = Math.log(scale.ceilingUsd / scale.floorUsd) / 7;
  return Array.from({ length: 8 }, (_, i) => scale.floorUsd * Math.exp(ratio * i));
}

/**
 * 256 colours as the little-endian RGBA words that ImageData holds. Data have the colour of their dollars. Below the floor the
 * ground covers what lies behind the picture, but not where most of a cell is assumption: there the hatching shows through. Where
 * colours stand for all dollars, it shines through those that are mostly assumption.
 */
export function lookUp(
  scale: Scale,
  palette: Palette,
  bytes: ByteScale,
  ground: string,
  part: "data" | "all" = "data",
): Uint32Array {
  const colors = PALETTES[palette];
  const table = new Uint32Array(256).fill(rgba(ground));
  const limits = edges(scale).map((usd) => byteOf(usd, bytes));
  const floor = Math.max(2, limits[0]!);
  for (let byte = 0; byte < NOT_KNOWN; byte++) {
    if (byte < floor) {
      if (isAssumed(byte)) table[byte] = 0;
      continue;
    }
    let k = 6;
    while (k > 0 && byte < limits[k]!) k--;
    table[byte] = rgba(colors[k]!, part === "all" && isAssumed(byte) ? 150 : 255);
  }
  return table;
}

function rgba(hex: string, alpha = 255): number {
  const value = parseInt(hex.slice(1), 16);
  const [r, g, b] = [(value >> 16) & 255, (value >> 8) & 255, value & 255];
  return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
