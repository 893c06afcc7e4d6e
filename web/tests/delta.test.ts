import { describe, expect, it } from "vitest";
import { columnsOf, decodeDelta, joined } from "../src/lib/heat/delta";
import { Tiles } from "../src/lib/heat/tiles";
import type { Grid } from "../src/lib/heat/levels";
import { NOT_KNOWN } from "../src/lib/heat/tile";

/** A frame as server/deltas.py writes it. */
function frame(
  kind: number,
  rows: number,
  revision: number,
  previous: number,
  first: number,
  columns: [number, number[]][][],
): ArrayBuffer {
  const name = new TextEncoder().encode("abc");
  const bytes: number[] = [0x4c, 0x51, 0x48, 0x44, 1, kind];
  const push = (value: number, size: number): void => {
    for (let i = 0; i < size; i++) bytes.push((value >> (8 * i)) & 255);
  };
  push(rows, 2);
  push(revision, 4);
  push(previous, 4);
  push(first, 4);
  push(columns.length, 2);
  push(name.length, 2);
  bytes.push(...name);
  for (const runs of columns) {
    push(runs.length, 2);
    for (const [row, cells] of runs) {
      push(row, 2);
      push(cells.length, 2);
      bytes.push(...cells);
    }
  }
  return new Uint8Array(bytes).buffer;
}

function grid(): Grid {
  return {
    grid: "abc",
    first: 510,
    interval_s: 300,
    columns: 3,
    rows: 4,
    price0: 100,
    log_step: 0.01,
    levels: 2,
    tile_columns: 256,
    floor_usd: 1000,
    decades: 4,
    steps: 110,
    part: "data",
    revision: 7,
    tiles: [
      [1, 2],
      [0, 1],
    ],
  };
}

describe("deltas", () => {
  it("are read as the server writes them, each column against the one before", () => {
    const delta = decodeDelta(frame(1, 4, 8, 7, 512, [[[1, [9, 9]]], [[3, [5]]]]));
    expect(delta).toMatchObject({ kind: "columns", grid: "abc", rows: 4, revision: 8, previous: 7, first: 512 });
    const columns = columnsOf(delta, new Uint8Array([1, 2, 3, 4]));
    expect(columns.map((each) => [...each])).toEqual([
      [1, 9, 9, 4],
      [1, 9, 9, 5],
    ]);
    expect([...columnsOf(delta, null)[0]!]).toEqual([NOT_KNOWN, 9, 9, NOT_KNOWN]);
  });

  it("refuse what they are not", () => {
    expect(() => decodeDelta(new ArrayBuffer(4))).toThrow("no header");
    expect(() => decodeDelta(new ArrayBuffer(24))).toThrow("not a frame");
    const whole = frame(1, 4, 8, 7, 512, [[[1, [9]]]]);
    expect(() => decodeDelta(whole.slice(0, whole.byteLength - 1))).toThrow();
    expect(decodeDelta(frame(2, 4, 8, 0, 0, [])).kind).toBe("reset");
  });

  it("join columns by the largest known cell", () => {
    const columns = [new Uint8Array([NOT_KNOWN, 3, 0]), new Uint8Array([NOT_KNOWN, 1, NOT_KNOWN])];
    expect([...joined(columns)]).toEqual([NOT_KNOWN, 3, 0]);
  });

  it("reach the newest tile and the coarser ones, and a missed revision is told", () => {
    let changes = 0;
    const tiles = new Tiles(
      { ...grid(), first: 512 },
      () => changes++,
      () => new Promise(() => {}),
    );
    // The first column of the grid needs nothing that was there before.
    expect(tiles.apply(decodeDelta(frame(1, 4, 8, 7, 512, [[[0, [1, 2, 3, 4]]], [[0, [9]]]])))).toBe(true);
    expect([0, 1, 2, 3].map((row) => tiles.byte(512, row))).toEqual([1, 2, 3, 4]);
    expect(tiles.byte(513, 0)).toBe(9);
    expect(tiles.grid).toMatchObject({ revision: 8, columns: 3 });
    expect(changes).toBe(1);
    expect(tiles.apply(decodeDelta(frame(1, 4, 10, 9, 513, [[]])))).toBe(false);
    expect(tiles.apply(decodeDelta(frame(1, 4, 9, 8, 513, [[[1, [7]]]])))).toBe(true);
    expect([0, 1].map((row) => tiles.byte(513, row))).toEqual([1, 7]);
  });

  it("do not guess what stood before a column that is not here", () => {
    const tiles = new Tiles(
      grid(),
      () => {},
      () => new Promise(() => {}),
    );
    expect(tiles.apply(decodeDelta(frame(1, 4, 8, 7, 513, [[[0, [9]]]])))).toBe(true);
    expect(tiles.byte(513, 0)).toBeNull();
    expect(tiles.grid.revision).toBe(8);
  });
});
