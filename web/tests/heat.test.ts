import { describe, expect, it } from "vitest";
import { edgePrice, levelFor, rowOf, tilesFor, type Grid } from "../src/lib/heat/levels";
import { edges, lookUp } from "../src/lib/heat/scale";
import { ASSUMED, byteOf, decodeTile, dollars, HEADER, isAssumed, MAGIC, NOT_KNOWN } from "../src/lib/heat/tile";

function tile(columns: number, rows: number, cells: number[], change?: (view: DataView) => void): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER + columns * rows);
  const view = new DataView(buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, 2);
  view.setUint8(5, 2);
  view.setUint8(7, 1);
  view.setUint32(8, 9, true);
  view.setUint16(12, columns, true);
  view.setUint16(14, rows, true);
  view.setFloat32(16, 1000, true);
  view.setFloat32(20, 4, true);
  view.setUint16(24, 110, true);
  const body = new Uint8Array(buffer, HEADER);
  cells.forEach((cell, i) => (body[i] = (cell - (i >= rows ? cells[i - rows]! : 0)) & 255));
  change?.(view);
  return buffer;
}

const bytes = { floorUsd: 1000, decades: 4, steps: 110 };

describe("tiles", () => {
  it("come back as they were, column by column", () => {
    const cells = [0, 5, 255, 7, 0, 110];
    const found = decodeTile(tile(3, 2, cells));
    expect([...found.cells]).toEqual(cells);
    expect([found.level, found.index, found.columns, found.rows, found.open]).toEqual([2, 9, 3, 2, true]);
    expect([found.floorUsd, found.decades, found.steps]).toEqual([1000, 4, 110]);
  });

  it("that are damaged are refused with the reason", () => {
    expect(() => decodeTile(new ArrayBuffer(3))).toThrow("no header");
    expect(() => decodeTile(tile(3, 2, []).slice(0, 36))).toThrow("expected 3 x 2 cells, received 4");
    expect(() => decodeTile(tile(1, 1, [1], (view) => view.setUint32(0, 7, true)))).toThrow("not a heatmap tile");
    expect(() => decodeTile(tile(1, 1, [1], (view) => view.setUint8(4, 9)))).toThrow("version 9");
  });

  it("hold dollars within 4.4 % over four decades; unknown is not zero", () => {
    for (let usd = 1000; usd < 9.9e6; usd *= 1.37) {
      expect(Math.abs(dollars(byteOf(usd, bytes), bytes)! / usd - 1)).toBeLessThan(0.044);
    }
    expect(dollars(0, bytes)).toBe(0);
    expect(dollars(NOT_KNOWN, bytes)).toBeNull();
  });

  it("say where assumption is more than half, which changes no dollar of data", () => {
    expect(dollars(byteOf(5e4, bytes) + ASSUMED, bytes)).toBe(dollars(byteOf(5e4, bytes), bytes));
    expect([byteOf(5e4, bytes) + ASSUMED, ASSUMED].map(isAssumed)).toEqual([true, true]);
    expect([byteOf(5e4, bytes), 0, NOT_KNOWN].map(isAssumed)).toEqual([false, false, false]);
    expect(dollars(ASSUMED, bytes)).toBe(0);
    expect(byteOf(1e9, bytes) + ASSUMED).toBeLessThan(NOT_KNOWN);
  });
});

describe("scale", () => {
  it("has seven classes of equal ratio, the ground below the floor and a hole where assumption stands alone", () => {
    const scale = { floorUsd: 1e4, ceilingUsd: 1e7 };
    const limits = edges(scale);
    expect(limits[0]).toBeCloseTo(1e4);
    expect(limits[7]! / 1e7).toBeCloseTo(1);
    const table = lookUp(scale, "cividis", bytes, "#0d1420");
    const ground = 0xff20140d;
    expect([table[0], table[byteOf(5e3, bytes)], table[NOT_KNOWN]]).toEqual([ground, ground, ground]);
    expect([table[ASSUMED], table[byteOf(5e3, bytes) + ASSUMED]]).toEqual([0, 0]);
    expect(table[byteOf(9.99e6, bytes)]).toBe(table[220]);
    expect(table[byteOf(2e5, bytes) + ASSUMED]).toBe(table[byteOf(2e5, bytes)]);
    expect(new Set(table.filter((word) => word !== 0 && word !== ground)).size).toBe(7);
  });

  it("below the bytes' own floor still draws no assumption as data", () => {
    const table = lookUp({ floorUsd: 1, ceilingUsd: 1e7 }, "grey", bytes, "#000000");
    expect([table[0], table[ASSUMED]]).toEqual([0xff000000, 0]);
  });

  it("lets the hatching shine through assumption where nothing is data", () => {
    const table = lookUp({ floorUsd: 1e4, ceilingUsd: 1e7 }, "grey", bytes, "#000000", "all");
    const byte = byteOf(1e6, bytes);
    expect([table[byte]! >>> 24, table[byte + ASSUMED]! >>> 24]).toEqual([255, 150]);
    expect(table[byte]! & 0xffffff).toBe(table[byte + ASSUMED]! & 0xffffff);
  });
});

describe("levels", () => {
  const grid: Grid = {
    grid: "g",
    first: 1000,
    interval_s: 300,
    columns: 8640,
    rows: 1000,
    price0: 50_000,
    log_step: 0.001,
    levels: 6,
    tile_columns: 256,
    floor_usd: 1000,
    decades: 4,
    steps: 110,
    part: "data",
    revision: 1,
    tiles: [
      [3, 37],
      [1, 18],
      [0, 9],
      [0, 4],
      [0, 2],
      [0, 1],
    ],
  };

  it("keep a column near a pixel", () => {
    expect(levelFor(0.2, 6)).toBe(0);
    expect(levelFor(1, 6)).toBe(0);
    expect(levelFor(8.64, 6)).toBe(3);
    expect(levelFor(1e6, 6)).toBe(5);
    for (let width = 1.01; width < 30; width *= 1.1) {
      const shown = width / 2 ** levelFor(width, 6);
      expect(shown).toBeGreaterThan(0.7);
      expect(shown).toBeLessThan(1.45);
    }
  });

  it("name the tiles that a view overlaps", () => {
    expect(tilesFor(grid, 0, 0, 100)).toEqual([{ level: 0, index: 3 }]);
    expect(tilesFor(grid, 0, 9500, 9999).map((one) => one.index)).toEqual([37]);
    expect(tilesFor(grid, 3, 1000, 9639).map((one) => one.index)).toEqual([0, 1, 2, 3, 4]);
  });

  it("find rows by price", () => {
    for (const row of [0, 17, 999]) expect(rowOf(grid, edgePrice(grid, row) * 1.0004)).toBe(row);
    expect(rowOf(grid, 40_000)).toBeLessThan(0);
  });
});
