import { describe, expect, it } from "vitest";
import { compare, curve, distanceTo, mirror, normalCdf, ratioText, touchOdds, within } from "../src/lib/pools";

const levels = [
  { price: 99.95, distance: -0.0005, long_usd: 100, short_usd: 0, prior_usd: 0 },
  { price: 99.85, distance: -0.0015, long_usd: 300, short_usd: 0, prior_usd: 0 },
  { price: 100.05, distance: 0.0005, long_usd: 0, short_usd: 200, prior_usd: 0 },
  { price: 100.15, distance: 0.0015, long_usd: 0, short_usd: 600, prior_usd: 0 },
];
const short = curve(levels, "short");
const long = curve(levels, "long");

describe("pools", () => {
  it("sums outward, whole buckets and parts of one", () => {
    expect(within(short, 0.001)).toBeCloseTo(200);
    expect(within(short, 0.002)).toBeCloseTo(800);
    expect(within(short, 0.0015)).toBeCloseTo(200 + 300);
    expect(within(long, 1)).toBeCloseTo(400);
    expect(within(long, 0)).toBe(0);
  });

  it("finds the move that holds the dollars, and none beyond what stands", () => {
    expect(distanceTo(short, 200)).toBeCloseTo(0.001);
    expect(distanceTo(short, 500)).toBeCloseTo(0.0015);
    expect(distanceTo(short, 801)).toBeNull();
    for (const usd of [1, 150, 399]) expect(within(long, distanceTo(long, usd) ?? NaN)).toBeCloseTo(usd);
  });

  it("14 : 1 is an imbalance of +0.867", () => {
    const found = compare(14, 1, 20);
    expect(found.imbalance).toBeCloseTo(0.867, 3);
    expect(ratioText(found)).toBe("> 10 : 1");
    expect(ratioText(compare(16, 10, 20))).toBe("1.6 : 1");
    expect(ratioText(compare(10, 16, 20))).toBe("1 : 1.6");
  });

  it("a pool under 0.02 % of open interest is too small to compare", () => {
    expect(ratioText(compare(1, 100, 1e6))).toBe("too small to compare");
    expect(compare(0, 0, 1e6).imbalance).toBeNull();
  });

  it("mirrors about the mark", () => {
    expect(mirror(71_450, 84_000)).toBe(58_900);
    expect(mirror(71_450, 100_000)).toBe(42_900);
  });

  it("odds with no map: +770 and -2,000 at 84,178.9 with 2.26 % a day are 69 % and 29 %", () => {
    expect(touchOdds(770 / 84_178.9, 0.0226, 1)).toBeCloseTo(0.69, 2);
    expect(touchOdds(-2000 / 84_178.9, 0.0226, 1)).toBeCloseTo(0.29, 2);
    expect(normalCdf(0)).toBeCloseTo(0.5, 12);
    expect(normalCdf(-1.959963984540054)).toBeCloseTo(0.025, 10);
    expect(normalCdf(-4)).toBeCloseTo(3.167124183311998e-5, 12);
  });
});
