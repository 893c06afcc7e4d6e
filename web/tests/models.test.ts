import { describe, expect, it } from "vitest";
import { ALL, CLASSES, startTicks, tickedOf, toggle, whyUnticked, wordOfTicks } from "../src/lib/classes";
import { addressOf, intervalText, writerFor } from "../src/lib/facts";
import { border, percent, signed } from "../src/lib/format";
import { heldWithin, isPriorHeavy, landscapeOf } from "../src/lib/landscape";
import { compare, distanceTo } from "../src/lib/pools";
import { placeOfShock, shockAt, shocksFor } from "../src/lib/shock";
import { distanceAt, FARTHEST, NEAREST, placeOf, stepOf } from "../src/lib/window";
import type { MapData } from "../src/lib/wire";

const level = (distance: number, usd: number, prior: number) => ({
  price: 100 * (1 + distance),
  distance,
  long_usd: distance < 0 ? usd : 0,
  short_usd: distance > 0 ? usd : 0,
  prior_usd: prior,
});
const estimate = { median: 0, lo: null, hi: null, level: 0.8, prior_share: null };
const map: MapData = {
  headline: "",
  balance: {} as MapData["balance"],
  ranges: [],
  totals: { open_interest_usd: 20e9, short_pool_usd: estimate, long_pool_usd: estimate } as MapData["totals"],
  ladder: { mark_price: 100, step: 0.005, within: 0.05, short: [], long: [], depth_ts_ns: null },
  levels: [level(0.0095, 14e9, 1e9), level(-0.0095, 1e9, 0), level(0.0195, 1e9, 1e9), level(-0.0195, 19e9, 19e9)],
};

describe("the dragged window", () => {
  it("14 : 1 within 1 % shrinks to nothing within 2 %, without a request", () => {
    const land = landscapeOf(map)!;
    const near = heldWithin(land, 0.01);
    expect(near.ratio).toBeCloseTo(14);
    expect(near.imbalance).toBeCloseTo(0.867, 3);
    expect(near.priorShare).toBeCloseTo(1 / 15);
    const wide = heldWithin(land, 0.02);
    expect(wide.ratio).toBeCloseTo(15 / 20);
    expect(isPriorHeavy(wide.priorShare)).toBe(true);
    expect(isPriorHeavy(0.5)).toBe(false);
  });

  it("14 of 19.4 billion is 72 % of open interest", () => {
    expect(percent(14 / 19.4, 0)).toBe("72 %");
    expect([percent(-0.002, 0), signed(-0.001), percent(-0.012, 0)]).toEqual(["0 %", "0.00", "-1 %"]);
    expect([border(0), border(0.0025), border(0.05)]).toEqual(["0 %", "0.25 %", "5 %"]);
    expect(compare(14e9, 1e9, 19.4e9).ratio).toBe(14);
  });

  it("ease of +770 and -2,000 is 2.60", () => {
    const land = landscapeOf({ ...map, ladder: { ...map.ladder, mark_price: 84_178.9 } })!;
    expect(2000 / 770).toBeCloseTo(2.6, 2);
    expect(Math.log(2000 / 770)).toBeCloseTo(0.9545, 4);
    expect(distanceTo(land.short, 14e9)).toBeCloseTo(0.01);
  });

  it("an empty map is no landscape", () => {
    expect(landscapeOf({ ...map, levels: [] })).toBeNull();
  });

  it("the axis and its inverse agree, steps stay inside", () => {
    for (const distance of [0.005, 0.01, 0.02, 0.05, 0.1, 0.2])
      expect(distanceAt(placeOf(distance))).toBeCloseTo(distance, 6);
    expect(distanceAt(-1)).toBe(NEAREST);
    expect(distanceAt(2)).toBe(FARTHEST);
    expect(stepOf("ArrowRight", 0.02)).toBeCloseTo(0.021);
    expect(stepOf("ArrowLeft", 0.002)).toBe(NEAREST);
    expect(stepOf("PageUp", 0.02)).toBeCloseTo(0.04);
    expect(stepOf("End", 0.02)).toBe(FARTHEST);
    expect(stepOf("a", 0.02)).toBeNull();
  });
});

describe("the shock slider", () => {
  it("is $10M to $5B in a large market and as much smaller in a small one", () => {
    expect(shocksFor(8.6e9)).toEqual({ low: 10e6, high: 5e9 });
    expect(shocksFor(null)).toEqual({ low: 10e6, high: 5e9 });
    expect(shocksFor(250e6)).toEqual({ low: 500e3, high: 200e6 });
    const shocks = shocksFor(8.6e9);
    expect(shockAt(0, shocks)).toBe(10e6);
    expect(shockAt(1, shocks)).toBe(5e9);
    for (const usd of [20e6, 250e6, 500e6]) expect(shockAt(placeOfShock(usd, shocks), shocks)).toBeCloseTo(usd, 0);
    expect(placeOfShock(1, shocks)).toBe(0);
  });
});

describe("leverage classes", () => {
  it("are one row of neighbours, whatever is ticked", () => {
    expect(tickedOf(null)).toEqual(ALL);
    expect(wordOfTicks(ALL)).toBeNull();
    expect(tickedOf("10-50")).toEqual([3, 4]);
    expect(wordOfTicks([3, 4])).toBe("10-50");
    expect(toggle([3, 4], 5)).toEqual([3, 5]);
    expect(toggle([3, 4], 0)).toEqual([0, 4]);
    expect(toggle([3, 4], 3)).toEqual([4, 4]);
    expect(toggle([4, 4], 4)).toEqual([4, 4]);
    expect(toggle([0, 5], 2)).toEqual([2, 5]);
    for (let i = 0; i < CLASSES.length; i++) expect(tickedOf(wordOfTicks([i, i]))).toEqual([i, i]);
  });

  it("those that are pure assumption start unticked and say why", () => {
    expect(startTicks([1, 0.99, 0.8, 0.5, 0.2, null])).toEqual([2, 4]);
    expect(startTicks([1, 1, 1, 1, 1, 1])).toEqual([5, 5]);
    expect(whyUnticked(0.985)).toBe("98 % of it is assumption, not data");
    expect(whyUnticked(null)).toContain("nothing stands there");
  });
});

describe("provenance", () => {
  it("pins the request to the instant of the answer", () => {
    const asked = 'BTC/asymmetry {"as_of":null,"within":"1%,2%"}';
    const made = addressOf(asked, "2026-01-30T22:55:00Z");
    expect(made).toBe("/api/v1/BTC/asymmetry?as_of=2026-01-30T22%3A55%3A00Z&within=1%25%2C2%25");
    expect(addressOf('BTC/now {"as_of":"2026-01-30T22:55Z"}', "x")).toContain("as_of=2026-01-30T22%3A55Z");
    expect(addressOf("BTC/accuracy {}", "2026-01-30T22:55:00Z")).toBe("/api/v1/BTC/accuracy");
  });

  it("writes intervals in the unit of the number", () => {
    const value = { median: 498e6, lo: 372e6, hi: 663e6, level: 0.8, prior_share: 0.1 };
    expect(intervalText(value, writerFor("USD at the level"))).toBe("80 % interval $372M to $663M");
    expect(intervalText({ ...value, lo: 0.01, hi: 0.02 }, writerFor("distance"))).toBe(
      "80 % interval 1.00 % to 2.00 %",
    );
    expect(intervalText(null, String)).toContain("not estimated");
  });
});
