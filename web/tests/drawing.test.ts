import { describe, expect, it } from "vitest";
import { candleColumns, decodeCandles, extremes, join } from "../src/lib/heat/candles";
import { bars, count, niceUsd, placeOf, shapeScale } from "../src/lib/heat/histogram";
import { paint, poolFor, strips, sweptEdges, unknownRuns } from "../src/lib/heat/paint";
import type { Tile } from "../src/lib/heat/tile";
import { dotsOf } from "../src/lib/prints";
import type { LiquidationsData } from "../src/lib/wire";

/** Columns of cells, lowest price first. */
function tile(...columns: number[][]): Tile {
  const rows = columns[0]!.length;
  const cells = new Uint8Array(columns.flat());
  return {
    level: 0,
    index: 0,
    columns: columns.length,
    rows,
    floorUsd: 1000,
    decades: 4,
    steps: 110,
    open: false,
    cells,
  };
}

describe("painting", () => {
  const colours = new Uint32Array(256).map((_, i) => i * 10);

  it("puts the highest price on the first line", () => {
    expect([...paint(tile([1, 2, 3], [4, 5, 6]), colours, 1).words]).toEqual([30, 60, 20, 50, 10, 40]);
  });

  it("joins rows by the largest known cell, so that no thin band is lost", () => {
    const { words, height } = paint(tile([1, 255, 255, 255, 7]), colours, 2);
    expect(height).toBe(3);
    expect([...words]).toEqual([70, 2550, 10]);
  });

  it("joins as many rows as the height needs", () => {
    expect([0.5, 1, 1.5, 3, 9, 99].map(poolFor)).toEqual([1, 1, 2, 4, 8, 8]);
  });

  it("finds columns of which nothing is known, and where a sweep ends a band", () => {
    const made = tile([5, 5, 5], [255, 255, 255], [255, 255, 255], [5, 60, 70], [5, 0, 0], [4, 0, 0]);
    expect(unknownRuns(made)).toEqual([[1, 3]]);
    expect(sweptEdges(made, 50)).toEqual([[4, 1, 3]]);
    expect(sweptEdges(made, 65)).toEqual([[4, 2, 3]]);
  });

  it("cuts a bent axis into strips and a straight one into none", () => {
    expect(strips(800, 1, (row) => row * 0.7)).toEqual([0, 800]);
    const bent = strips(800, 1, (row) => 2000 * Math.exp(row * 0.0005));
    expect(bent[0]).toBe(0);
    expect(bent[bent.length - 1]).toBe(800);
    expect(bent.length).toBeGreaterThan(4);
    expect(strips(7, 4, (row) => row)).toEqual([0, 8]);
  });
});

describe("candles", () => {
  const planes = new Float32Array([1, 2, NaN, 4, 2, 3, NaN, 9, 0.5, 1, NaN, 3, 2, 2.5, NaN, 5]);
  const candles = decodeCandles(planes.buffer);

  it("are joined on whole multiples of time", () => {
    // The first column is number 3 of the clock: with two a candle it is the second half of candle 1.
    const joined = join(candles, 3, 2);
    expect(joined.offset).toBe(1);
    expect([...joined.open]).toEqual([1, 2, 4]);
    expect([...joined.high]).toEqual([2, 3, 9]);
    expect([...joined.close]).toEqual([2, 2.5, 5]);
    expect([...join(candles, 3, 2, 3).close]).toEqual([2, 2.5]);
  });

  it("are at least so many pixels wide, in usual lengths", () => {
    expect(candleColumns(8, 300)).toBe(1);
    expect(candleColumns(0.1, 300)).toBe(72); // 50 columns of 5 min are 4.2 h: the next usual width is 6 h
    expect(candleColumns(1, 300)).toBe(6);
  });

  it("know their extremes and their gaps", () => {
    expect(extremes(candles, 0, 3)).toEqual([0.5, 9]);
    expect(extremes(candles, 2, 2)).toBeNull();
    expect(() => decodeCandles(new ArrayBuffer(20))).toThrow("four planes");
  });
});

describe("the legend", () => {
  const bytes = { floorUsd: 1000, decades: 4, steps: 110 };

  it("counts what holds dollars and nothing else", () => {
    const counts = count([tile([0, 1, 255, 2, 220, 221])]);
    expect([counts[0], counts[127], counts[1], counts[110]]).toEqual([0, 0, 1, 2]);
    expect(bars(counts, 110, 4)).toEqual([1, 0, 0, 2]);
  });

  it("moves its handles on round dollars", () => {
    expect(placeOf(100_000, bytes)).toBeCloseTo(0.5);
    expect([0, 0.5, 0.56, 0.6, 1].map((place) => niceUsd(place, bytes))).toEqual([
      1000, 100_000, 200_000, 200_000, 1e7,
    ]);
  });

  it("spans the view's own cells when only the shape is shown", () => {
    const counts = new Uint32Array(256);
    for (let b = 20; b < 60; b++) counts[b] = 100;
    const scale = shapeScale(counts, bytes)!;
    expect(scale.floorUsd).toBeGreaterThan(5_000);
    expect(scale.ceilingUsd).toBeLessThan(200_000);
    expect(shapeScale(new Uint32Array(256), bytes)).toBeNull();
  });
});

describe("published forced orders", () => {
  it("stand at the extremes of their interval, hollow where the feed leaves some out", () => {
    const planes = new Float32Array([5, 5, 5, 5, 6, 9, 7, 6, 4, 3, 2, 4, 5, 5, 5, 5]);
    const data = {
      totals: [{ instrument: "a:B", interval_s: 600, completeness: "throttled" }],
      intervals: [
        { instrument: "a:B", ts: "1970-01-01T00:10:00Z", long_usd: 2e6, short_usd: 10 },
        { instrument: "a:B", ts: "1970-01-01T00:00:00Z", long_usd: null, short_usd: 1e6 },
        { instrument: "a:B", ts: "1971-01-01T00:00:00Z", long_usd: 1e9, short_usd: 1e9 },
      ],
    } as unknown as LiquidationsData;
    // Column 0 is number 0 of the clock, 300 s each: the second interval is columns 2 and 3.
    expect(dotsOf(data, decodeCandles(planes.buffer), 0, 300)).toEqual([
      { column: 2.5, known: 4, price: 2, usd: 2e6, side: "long", hollow: true },
      { column: 1.5, known: 2, price: 9, usd: 1e6, side: "short", hollow: true },
    ]);
  });
});
