import { describe, expect, it } from "vitest";
import { badgeLine, lastFailure, MEANINGS, scoreRows } from "../src/lib/record";
import { bandSentences, twinRows } from "../src/lib/twin";
import type { AccuracyData, Badge, MapData, ZonesData } from "../src/lib/wire";

const badge = {
  state: "tested",
  lift: { median: 1.31, lo: 1.12, hi: 1.52, level: 0.9 },
  days: 61,
  stale: null,
  reasons: [],
} as unknown as Badge;

describe("the record", () => {
  it("is said in one word and its lift", () => {
    expect(badgeLine(badge)).toEqual({ state: "tested", word: "TESTED", rest: "lift 1.31 [1.12–1.52]" });
    expect(badgeLine({ ...badge, state: "off" }).word).toBe("OFF");
    expect(badgeLine(null)).toEqual({ state: "untested", word: "UNTESTED", rest: "" });
  });

  it("a record that does not speak for the map is worth no more than none, but OFF stays OFF", () => {
    expect(badgeLine({ ...badge, stale: "other model" })).toMatchObject({ state: "untested", word: "TESTED, STALE" });
    expect(badgeLine({ ...badge, state: "off", stale: "old" })).toMatchObject({ state: "off", word: "OFF" });
    for (const state of Object.keys(MEANINGS))
      expect(MEANINGS[state as keyof typeof MEANINGS].length).toBeGreaterThan(20);
  });

  it("scores stand per side with their interval, unknown ones as a dash", () => {
    const verdict = {
      sides: [{ side: "long", values: { d2: { value: 0.42, lo: 0.3, hi: 0.5 } } }],
    } as unknown as Parameters<typeof scoreRows>[0];
    expect(scoreRows(verdict)[0]).toMatchObject({
      long: { text: "42 % [30 %–50 %]", estimate: { median: 0.42, level: 0.9 } },
      short: { text: "–", estimate: null },
    });
  });

  it("the last failure is a fault of the ledger, else why the map is not tested", () => {
    const data = {
      badge: { ...badge, state: "off", reasons: ["lift below 1"] },
      ledger: null,
    } as unknown as AccuracyData;
    expect(lastFailure(data)).toBe("lift below 1");
    expect(
      lastFailure({ ...data, ledger: { faults: [{ number: 7, what: "hash differs" }] } as AccuracyData["ledger"] }),
    ).toBe("ledger entry 7: hash differs");
    expect(lastFailure({ ...data, badge })).toBeNull();
  });
});

describe("the text twin", () => {
  const estimate = (median: number) => ({ median, lo: median / 2, hi: median * 2, level: 0.8, prior_share: 0.1 });
  const row = (price: number, distance: number, usd: number, sum: number) => ({
    price,
    distance,
    usd: estimate(usd),
    sum_out_usd: estimate(sum),
    data_share: 0.9,
    depth_usd: null,
    measured_usd: null,
  });
  it("stands as the ladder stands: farthest above first, sums outward", () => {
    const data = {
      ladder: {
        short: [row(100_500, 0.005, 46e6, 46e6), row(101_000, 0.01, 220e6, 266e6)],
        long: [row(99_500, -0.005, 50e6, 50e6)],
      },
    } as unknown as MapData;
    const { above, below } = twinRows(data);
    expect(above.map((each) => each.price)).toEqual(["101,000", "100,500"]);
    expect(above[0]).toMatchObject({
      away: "+1.0 %",
      usd: "$220M [110M–440M]",
      sum: "$266M [133M–532M]",
      data: "90 %",
    });
    expect(below[0]).toMatchObject({ side: "long", away: "-0.5 %" });
  });

  it("says the bands of the heatmap in sentences, and the findings where there is none", () => {
    const zones = {
      zones: [
        {
          side: "short",
          from_price: 93_713,
          to_price: 96_742,
          near_distance: 0.114,
          pool_usd: estimate(107e6),
          prior_share: 0.96,
          peak_price: 95_270,
          peak_usd: 3.2e6,
          round_numbers: [{ price: 95_000, major: true }],
        },
      ],
      findings: ["No long zone within 15.0 %."],
    } as unknown as ZonesData;
    const [first, second] = bandSentences(zones);
    expect(first).toContain("from 93,713 to 96,742, +11.4 % away, holds $107M [53.5M–214M], 96 % of it assumption");
    expect(first).toContain("round prices in it: 95,000");
    expect(second).toBe("No long zone within 15.0 %.");
  });
});
