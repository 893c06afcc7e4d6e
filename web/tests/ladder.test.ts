import { describe, expect, it } from "vitest";
import { readCross } from "../src/lib/cross";
import {
  barScale,
  curvePlace,
  dataOnly,
  decadesBetween,
  factOfRung,
  inView,
  rungs,
  rungText,
  stepFor,
  type Level,
} from "../src/lib/ladder";
import { curve, leftOut, type LeftOut } from "../src/lib/pools";

/** Mark 1000, levels of 0.1 %: $1M short on each of the first ten above, $2M long below; a tenth is prior. */
const levels: Level[] = Array.from({ length: 20 }, (_, i) => {
  const distance = (i < 10 ? i - 10 : i - 9) * 0.001 + (i < 10 ? 0.0005 : -0.0005);
  const short = distance > 0 ? 1e6 : 0;
  const long = distance < 0 ? 2e6 : 0;
  return {
    price: 1000 * (1 + distance),
    distance,
    short_usd: short,
    long_usd: long,
    prior_usd: (short + long) / 10,
    measured_usd: 0,
  };
});

describe("the ladder", () => {
  it("sums levels to rows and rows outward", () => {
    const short = rungs(levels, 1000, 0.005, "short");
    expect(short.map((row) => [row.usd, row.sumUsd])).toEqual([
      [5e6, 5e6],
      [5e6, 10e6],
    ]);
    expect(short[0]).toMatchObject({ low: 1000, far: 0.005, priorUsd: 0.5e6 });
    const long = rungs(levels, 1000, 0.002, "long");
    expect(long).toHaveLength(5);
    expect(long[4]).toMatchObject({ usd: 4e6, sumUsd: 20e6 });
    expect(long[4]!.low).toBeCloseTo(990);
  });

  it("says unknown, not zero, where a filter left dollars out", () => {
    const rows = (filters?: Record<string, string>, side: "short" | "long" = "short") =>
      rungs(levels.slice(0, 15), 1000, 0.002, side, leftOut(filters, side)).map((row) => rungText(row, "usd"));
    expect(rows({ side: "long" })).toEqual(["–", "–", "–"]);
    expect(rows({ side: "long" }, "long")[0]).toBe("$4.00M");
    expect(rows({ venue: "binance" })[0]).toBe("$2.00M");
    const empty = levels.map((level) => ({ ...level, short_usd: 0 }));
    const first = (left: LeftOut) => rungText(rungs(empty, 1000, 0.005, "short", left)[0]!, "sumUsd");
    expect([first("none"), first("some"), first("all")]).toEqual(["$0", "–", "–"]);
    expect(leftOut({ leverage: "10-50" }, "long")).toBe("some");
    expect(factOfRung(rungs(levels, 1000, 0.005, "short", "all")[0]!, null)).toMatchObject({
      shown: "–",
      estimate: null,
    });
  });

  it("without assumption sums data alone", () => {
    const rows = dataOnly(rungs(levels, 1000, 0.005, "short"));
    expect(rows.map((row) => [row.usd, row.priorUsd, row.sumUsd])).toEqual([
      [4.5e6, 0, 4.5e6],
      [4.5e6, 0, 9e6],
    ]);
  });

  it("keeps the sum of the whole book when only a part is in view", () => {
    const seen = inView(rungs(levels, 1000, 0.005, "short"), 1006, 1020);
    expect(seen.map((row) => row.sumUsd)).toEqual([10e6]);
  });

  it("chooses rows that can be read, and a bar of round dollars", () => {
    expect(stepFor(0.2, 600, 15)).toBe(0.005);
    expect(stepFor(0.02, 600, 15)).toBe(0.001);
    expect(barScale(rungs(levels, 1000, 0.005, "short"))).toBe(5e6);
    expect(barScale([])).toBe(1);
  });

  it("has one axis for the curves", () => {
    expect(curvePlace(1e4, 1e4, 1e9)).toBe(0);
    expect(curvePlace(1e9, 1e4, 1e9)).toBe(1);
    expect(curvePlace(Math.sqrt(1e13), 1e4, 1e9)).toBeCloseTo(0.5);
    expect(decadesBetween(1e5, 2e7)).toEqual([1e5, 1e6, 1e7]);
  });
});

describe("the crosshair", () => {
  it("reads both sides of the mark", () => {
    const short = curve(levels, "short");
    const long = curve(levels, "long");
    const read = readCross(1000, 1005, short, long, 1e8, 0.0226)!;
    expect(read.mirror).toBe(995);
    expect(read.shortUsd).toBeCloseTo(5e6);
    expect(read.longUsd).toBeCloseTo(10e6);
    expect(read.ratio).toBe("1 : 2.0");
    expect(read.odds.map((each) => each.horizon)).toEqual(["4 h", "24 h", "7 d"]);
    expect(read.odds[1]!.price).toBeGreaterThan(read.odds[0]!.price);
    expect(readCross(1000, 1000, short, long, 1e8, 0.02)).toBeNull();
    const filtered = readCross(1000, 1005, short, long, 1e8, 0.0226, { side: "long" })!;
    expect([filtered.shortUsd, filtered.ratio]).toEqual([null, "–"]);
    expect(filtered.longUsd).toBe(read.longUsd);
    expect(readCross(1000, 1005, short, long, 1e8, null)!.odds).toEqual([]);
  });

  it("has the odds that were computed by hand", () => {
    // sigma_1d 2.26 %, 24 h at 84,178.9: +770 is 69 %, -2,000 is 29 %
    const empty = curve([], "short");
    const odds = (price: number) => readCross(84_178.9, price, empty, empty, 1, 0.0226)!.odds[1]!.price;
    expect(odds(84_178.9 + 770)).toBeCloseTo(0.69, 2);
    expect(odds(84_178.9 - 2000)).toBeCloseTo(0.29, 2);
  });
});
