import { encode } from "uqr";
import { describe, expect, it } from "vitest";
import { cardOf, headOf } from "../src/lib/attraction";
import { compareRows } from "../src/lib/compare";
import { addressOf } from "../src/lib/facts";
import { factOfRung, rungs } from "../src/lib/ladder";
import { crc32, withTexts } from "../src/lib/pngtext";
import type { MapData } from "../src/lib/wire";

const card = {
  verdict: "not found",
  sentence: "Not found: ...",
  model: "L3.2/24",
  from_ns: 1767225600e9,
  to_ns: 1775001600e9,
  horizon_h: 4,
  windows: 540,
  days: 90,
  beta: 0.11,
  lo: -0.18,
  hi: 0.39,
  level: 0.95,
  p_holm: 0.341,
  size: 0.062,
  size_markets: 400,
  smallest_drift: null,
  touched_level: 0.333,
  touched_mirror: 0.274,
  expected: 0.336,
};

describe("the card of attraction", () => {
  it("says its outcome first, and each number with what it means", () => {
    const made = cardOf(card)!;
    expect(headOf(made)).toBe("NOT FOUND");
    expect(made.rows[0]).toMatchObject({ text: "+0.11 [-0.18 to +0.39]", estimate: { level: 0.95 } });
    expect(made.rows.map((row) => row.text)).toContain("none that was tried");
    expect(made.tested).toContain("540 windows of 4 h on 90 days, 2026-01-01 to 2026-04-01");
  });

  it("is none where it was never run, or cannot be read", () => {
    expect(cardOf(null)).toBeNull();
    expect(cardOf({})).toBeNull();
    expect(cardOf({ ...card, verdict: "perhaps" })).toBeNull();
    expect(headOf({ ...cardOf(card)!, outcome: "opposite" })).toContain("OPPOSITE");
  });
});

const level = (price: number, distance: number, long: number, short: number) => ({
  price,
  distance,
  long_usd: long,
  short_usd: short,
  prior_usd: 0.1 * (long + short),
  measured_usd: 0,
});
const map = (mark: number, open: number, long: number, short: number): MapData =>
  ({
    ladder: { mark_price: mark },
    totals: { open_interest_usd: open },
    levels: [level(mark * 0.9985, -0.0015, long, 0), level(mark * 1.0015, 0.0015, 0, short)],
  }) as unknown as MapData;

describe("two instants beside each other", () => {
  it("differ in price, in pools and in their balance", () => {
    const rows = compareRows(map(100, 1e9, 2e6, 2e6), map(110, 2e9, 1e6, 3e6), 0.02);
    expect(rows.map((row) => row.difference)).toEqual(["+10.0 %", "+100.0 %", "+50.0 %", "-50.0 %", "imbalance +0.50"]);
    expect(rows[4]).toMatchObject({ then: "1.0 : 1", now: "3.0 : 1" });
  });

  it("say nothing of what is not known", () => {
    const empty = { ...map(100, 1, 1, 1), levels: [] } as MapData;
    expect(compareRows(empty, map(100, 1, 1, 1), 0.02)).toEqual([]);
    const unknown = map(100, null as unknown as number, 1e6, 1e6);
    expect(compareRows(unknown, map(100, 1e9, 1e6, 1e6), 0.02)[1]).toMatchObject({ then: "–", difference: "–" });
  });
});

describe("a number says how it is known", () => {
  it("rows of the ladder too, with the server's interval once it has come", () => {
    const [row] = rungs([level(100.15, 0.0015, 0, 3e6)], 100, 0.002, "short");
    const plain = factOfRung(row!, null);
    expect(plain).toMatchObject({ title: "shorts between 0.0 % and +0.2 %", estimate: null });
    expect(plain.formula).toContain("90 % of them data");
    const usd = { median: 4e6, lo: 3e6, hi: 5e6, level: 0.8, prior_share: 0.1 };
    expect(factOfRung(row!, { usd, sum_out_usd: usd } as never)).toMatchObject({ estimate: usd, shown: "$4.00M" });
  });

  it("and the record is asked for without an instant", () => {
    expect(addressOf("BTC/accuracy/magnet {}", "2026-01-01T00:00Z")).toBe("/api/v1/BTC/accuracy/magnet");
    expect(addressOf("BTC/map {}", "2026-01-01T00:00Z")).toContain("as_of=");
  });
});

describe("a picture", () => {
  it("carries its text in chunks that check", () => {
    expect(crc32(new TextEncoder().encode("IEND"))).toBe(0xae426082);
    const png = new Uint8Array(8 + 25 + 12).fill(7);
    const made = withTexts(png, { Description: "wäll" });
    const view = new DataView(made.buffer);
    const length = view.getUint32(33);
    expect(new TextDecoder().decode(made.subarray(37, 37 + 4 + length))).toBe("iTXtDescription\0\0\0\0\0wäll");
    expect(view.getUint32(41 + length)).toBe(crc32(made.subarray(37, 41 + length)));
    expect(made.length).toBe(png.length + 12 + length);
    expect([...made.subarray(-12)]).toEqual(Array(12).fill(7));
  });

  it("has a code that is small enough for its foot", () => {
    const address = "http://127.0.0.1:8700/binance:BTCUSDT?as_of=2026-01-30T22:55:00Z&within=5%25&look=7d&compare=1d";
    expect(encode(address, { ecc: "L", border: 4 }).size * 3).toBeLessThan(150);
  });
});
