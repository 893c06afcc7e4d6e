// A tile of the heatmap as the server sends it: a 32-byte header, then one byte a cell, time-major, each column as the
// difference from the column before (modulo 256). A byte is twice the step of the cell's data, plus one where more than half of
// the cell is assumption.

export const MAGIC = 0x5448514c; // "LQHT", little-endian
export const VERSION = 2;
export const HEADER = 32;
/** A byte of a cell: below the floor of the scale (or nothing), assumption alone, and not known at all. */
export const NOTHING = 0;
export const ASSUMED = 1;
export const NOT_KNOWN = 255;

export interface Tile {
  level: number;
  index: number;
  columns: number;
  rows: number;
  floorUsd: number;
  decades: number;
  /** How many steps share the decades: 1 to `steps`. */
  steps: number;
  /** True while the server may still add to it. */
  open: boolean;
  /** columns * rows bytes, column by column, lowest price first. */
  cells: Uint8Array;
}

/** Read a tile; throws with what is wrong, so that a bad answer never becomes a picture. */
export function decodeTile(buffer: ArrayBuffer): Tile {
  if (buffer.byteLength < HEADER) throw new Error(`tile: ${buffer.byteLength} bytes are no header`);
  const head = new DataView(buffer);
  if (head.getUint32(0, true) !== MAGIC) throw new Error("tile: not a heatmap tile");
  const version = head.getUint8(4);
  if (version !== VERSION) throw new Error(`tile: version ${version}, this page reads ${VERSION}`);
  const columns = head.getUint16(12, true);
  const rows = head.getUint16(14, true);
  if (buffer.byteLength !== HEADER + columns * rows) {
    throw new Error(`tile: expected ${columns} x ${rows} cells, received ${buffer.byteLength - HEADER}`);
  }
  const cells = new Uint8Array(buffer, HEADER).slice();
  for (let i = rows; i < cells.length; i++) cells[i] = (cells[i]! + cells[i - rows]!) & 255;
  return {
    level: head.getUint8(5),
    open: (head.getUint8(7) & 1) === 1,
    index: head.getUint32(8, true),
    columns,
    rows,
    floorUsd: head.getFloat32(16, true),
    decades: head.getFloat32(20, true),
    steps: head.getUint16(24, true),
    cells,
  };
}

/** The dollar scale of a grid's bytes. */
export interface ByteScale {
  floorUsd: number;
  decades: number;
  steps: number;
}

/** Dollars of data per 0.1 % in the middle of a byte's step; 0 below the floor, null where nothing is known. */
export function dollars(byte: number, scale: ByteScale): number | null {
  if (byte === NOT_KNOWN) return null;
  const step = byte >> 1;
  return step === 0 ? 0 : scale.floorUsd * 10 ** ((scale.decades * (step - 0.5)) / scale.steps);
}

/** Whether more than half of a cell is assumption. */
export function isAssumed(byte: number): boolean {
  return byte !== NOT_KNOWN && (byte & ASSUMED) === ASSUMED;
}

/** The lowest byte whose step holds a number of dollars; for legends and thresholds. */
export function byteOf(usd: number, scale: ByteScale): number {
  if (!(usd >= scale.floorUsd)) return NOTHING;
  const step = Math.floor((Math.log10(usd / scale.floorUsd) / scale.decades) * scale.steps + 1e-9);
  return 2 * Math.min(scale.steps, 1 + step);
}
