// Pictures of tiles, kept while they are worth it.

import { paint, poolFor, sweptEdges, unknownRuns } from "./paint";
import type { Held } from "./tiles";

export interface Picture {
  image: ImageBitmap;
  height: number;
  pool: number;
}

interface Kept extends Picture {
  version: number;
  size: number;
}

/** About 60 pictures of the finest kind. */
const BUDGET = 52e6;

export class Bitmaps {
  private readonly kept = new Map<string, Kept>();
  private size = 0;
  private colours: Uint32Array = new Uint32Array(256);
  private pattern: { key: string; made: CanvasPattern } | null = null;

  /** Other colours make all pictures void. */
  recolour(colours: Uint32Array): void {
    this.colours = colours;
    this.clear();
  }

  clear(): void {
    for (const each of this.kept.values()) each.image.close();
    this.kept.clear();
    this.size = 0;
  }

  /** Whether dark letters are read better than white ones on the colour of a byte. */
  isBright(byte: number): boolean {
    const word = this.colours[byte]!;
    return 0.299 * (word & 255) + 0.587 * ((word >> 8) & 255) + 0.114 * ((word >> 16) & 255) > 122;
  }

  /** The picture of a tile, its rows joined so that none is lost at this height. */
  picture(held: Held, rowsPerPixel: number): Picture {
    const { tile, version } = held;
    const pool = poolFor(rowsPerPixel);
    const key = `${tile.level}/${tile.index}/${pool}`;
    const old = this.kept.get(key);
    this.kept.delete(key);
    if (old && old.version === version) {
      this.kept.set(key, old);
      return old;
    }
    if (old) this.forget(old);
    const { words, height } = paint(tile, this.colours, pool);
    const canvas = new OffscreenCanvas(tile.columns, height);
    const pixels = new ImageData(new Uint8ClampedArray(words.buffer), tile.columns, height);
    canvas.getContext("2d")!.putImageData(pixels, 0, 0);
    const made: Kept = { image: canvas.transferToImageBitmap(), height, pool, version, size: words.byteLength };
    this.kept.set(key, made);
    this.size += made.size;
    for (const [name, each] of this.kept) {
      if (this.size <= BUDGET || name === key) break;
      this.kept.delete(name);
      this.forget(each);
    }
    return made;
  }

  /** Thin slanted lines to fill with; drawn once, for lines across a whole chart are dear. */
  hatching(ctx: CanvasRenderingContext2D, colour: string, ratio: number): CanvasPattern {
    const key = `${colour} ${ratio}`;
    if (this.pattern?.key === key) return this.pattern.made;
    const size = Math.max(6, Math.round(7 * ratio));
    const canvas = new OffscreenCanvas(size, size);
    const pen = canvas.getContext("2d")!;
    pen.strokeStyle = colour;
    pen.lineWidth = Math.max(1, ratio);
    // From corner to corner, and beyond them, so that copies join.
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift - 1, size + 1);
      pen.lineTo(shift + size + 1, -1);
    }
    pen.stroke();
    const made = ctx.createPattern(canvas, "repeat")!;
    this.pattern = { key, made };
    return made;
  }

  private forget(each: Kept): void {
    each.image.close();
    this.size -= each.size;
  }
}

/** What is read off a tile's cells once: unknown stretches, and where sweeps end bands. */
export class Readings {
  private readonly unknowns = new WeakMap<Held, [number, [number, number][]]>();
  private readonly swept = new WeakMap<Held, [string, [number, number, number][]]>();

  unknown(held: Held): [number, number][] {
    const old = this.unknowns.get(held);
    if (old && old[0] === held.version) return old[1];
    const made = unknownRuns(held.tile);
    this.unknowns.set(held, [held.version, made]);
    return made;
  }

  edges(held: Held, least: number): [number, number, number][] {
    const key = `${held.version}/${least}`;
    const old = this.swept.get(held);
    if (old && old[0] === key) return old[1];
    const made = sweptEdges(held.tile, least);
    this.swept.set(held, [key, made]);
    return made;
  }
}
