// What is new in a heatmap, as the stream sends it: columns, each as runs against the column before it.

import { NOT_KNOWN } from "./tile";

const MAGIC = 0x4448514c; // "LQHD", little-endian
const VERSION = 1;
const HEADER = 24;

export interface Delta {
  kind: "columns" | "reset";
  grid: string;
  rows: number;
  revision: number;
  previous: number;
  /** Absolute number of the first column. */
  first: number;
  columns: Run[][];
}

export interface Run {
  row: number;
  bytes: Uint8Array;
}

/** Read a frame; throws with what is wrong. */
export function decodeDelta(buffer: ArrayBuffer): Delta {
  if (buffer.byteLength < HEADER) throw new Error(`delta: ${buffer.byteLength} bytes are no header`);
  const head = new DataView(buffer);
  if (head.getUint32(0, true) !== MAGIC) throw new Error("delta: not a frame of a heatmap");
  const version = head.getUint8(4);
  if (version !== VERSION) throw new Error(`delta: version ${version}, this page reads ${VERSION}`);
  const count = head.getUint16(20, true);
  const nameLength = head.getUint16(22, true);
  let at = HEADER + nameLength;
  const columns: Run[][] = [];
  for (let k = 0; k < count; k++) {
    const runs: Run[] = [];
    const n = head.getUint16(at, true);
    at += 2;
    for (let i = 0; i < n; i++) {
      const row = head.getUint16(at, true);
      const length = head.getUint16(at + 2, true);
      runs.push({ row, bytes: new Uint8Array(buffer, at + 4, length) });
      at += 4 + length;
    }
    columns.push(runs);
  }
  if (at !== buffer.byteLength) throw new Error(`delta: ${buffer.byteLength - at} bytes too many`);
  return {
    kind: head.getUint8(5) === 1 ? "columns" : "reset",
    grid: new TextDecoder().decode(new Uint8Array(buffer, HEADER, nameLength)),
    rows: head.getUint16(6, true),
    revision: head.getUint32(8, true),
    previous: head.getUint32(12, true),
    first: head.getUint32(16, true),
    columns,
  };
}

/** The columns themselves; `before` is the column that the reader has before the first one, null if none. */
export function columnsOf(delta: Delta, before: Uint8Array | null): Uint8Array[] {
  let column = before ?? new Uint8Array(delta.rows).fill(NOT_KNOWN);
  return delta.columns.map((runs) => {
    const next = column.slice();
    for (const run of runs) next.set(run.bytes, run.row);
    column = next;
    return next;
  });
}

/** Join cells of several columns by the largest known one, as the server's coarser levels do. */
export function joined(columns: readonly Uint8Array[]): Uint8Array {
  const found = new Uint8Array(columns[0]?.length ?? 0).fill(NOT_KNOWN);
  for (const column of columns) {
    for (let i = 0; i < found.length; i++) {
      // One more turns "not known" into the smallest byte.
      if (((column[i]! + 1) & 255) > ((found[i]! + 1) & 255)) found[i] = column[i]!;
    }
  }
  return found;
}
