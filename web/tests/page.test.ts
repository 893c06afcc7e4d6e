import { describe, expect, it } from "vitest";
import { address, dataAddress, failureOf } from "../src/lib/api";
import { KEYS } from "../src/lib/keys";
import { captions, layoutOf, wrap } from "../src/lib/pictures";
import { mayPass } from "../src/lib/resource.svelte";
import { compareAt } from "../src/lib/state.svelte";
import { readMessage, waitMs } from "../src/lib/stream";
import { DAY, isoOf, played, scrubRange, stepped } from "../src/lib/time";
import type { Meta } from "../src/lib/wire";

describe("the scrubber", () => {
  const end = Date.parse("2026-02-06T00:00Z");

  it("spans the look-back and always what is shown", () => {
    expect(scrubRange("7d", end, null, end)).toEqual({ from: end - 7 * DAY, to: end });
    expect(scrubRange("7d", end, null, end - 20 * DAY).from).toBe(end - 25 * DAY);
    expect(scrubRange("30d", end, end - DAY, end).from).toBe(end - DAY);
  });

  it("steps on whole columns and ends at now", () => {
    const range = { from: end - DAY, to: end };
    expect(stepped(end - 1_000_000, -300_000, 300_000, range)! % 300_000).toBe(0);
    expect(stepped(end, 300_000, 300_000, range)).toBeNull();
    expect(stepped(end - DAY, -DAY, 300_000, range)).toBe(end - DAY);
  });

  it("plays as fast as it says", () => {
    expect(played(500, 600, 300_000)).toEqual({ columns: 1, leftMs: 0 });
    expect(played(250, 600, 300_000)).toEqual({ columns: 0, leftMs: 250 });
    expect(isoOf(end)).toBe("2026-02-06T00:00Z");
    expect(isoOf(end + 1000)).toBe("2026-02-06T00:00:01Z");
  });

  it("compares with an instant or a time before", () => {
    expect(compareAt("1d", "2026-02-06T00:00:00Z")).toBe("2026-02-05T00:00:00Z");
    expect(compareAt("2026-01-01T00:00Z", null)).toBe("2026-01-01T00:00Z");
    expect(compareAt("1d", null)).toBeNull();
    expect(compareAt(null, "2026-02-06T00:00:00Z")).toBeNull();
  });
});

describe("the stream", () => {
  it("waits longer each time, at most 15 s", () => {
    expect([0, 1, 2, 9].map(waitMs)).toEqual([500, 1000, 2000, 15_000]);
  });

  it("reads what is a message and nothing else", () => {
    expect(readMessage('{"topic":"now.BTC","seq":1,"kind":"snapshot"}')?.seq).toBe(1);
    expect(readMessage("{}")).toBeNull();
    expect(readMessage("not json")).toBeNull();
  });
});

describe("failures", () => {
  const facts = { code: "WARMING_UP", message: "m", hint: null, context: {}, retry_after_s: 4 };

  it("have one shape, and only those that may pass are asked again", () => {
    expect(failureOf(503, facts)).toMatchObject({ code: "WARMING_UP", status: 503, retryAfterS: 4 });
    expect([0, 404, 412, 422, 429, 502, 503].map((status) => mayPass(failureOf(status, facts)))).toEqual([
      true,
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it("leave words out that are null", () => {
    expect(address("BTC/map", { as_of: null, within: "2%" })).toBe("/api/v1/BTC/map?within=2%25");
  });
});

describe("keys", () => {
  it("have one meaning each, and all of them are explained", () => {
    const every = KEYS.flatMap((each) => each.keys);
    expect(new Set(every).size).toBe(every.length);
    for (const wanted of "?/12345hldprmkbxwac[] gnv0tiye") expect(every).toContain(wanted);
    for (const each of KEYS) expect(each.help.length).toBeGreaterThan(3);
  });
});

describe("pictures", () => {
  const meta = {
    instrument: "BTC",
    instruments: ["binance:BTCUSDT"],
    as_of: "2026-01-30T22:55:00Z",
    mark_price: 84123.2,
    filters: { side: "long" },
    recorded: false,
    simulated: true,
    inputs_hash: "89406e508736d6f6a72c",
    window: { from: "2025-12-01T00:05:00Z", to: "2026-01-30T22:55:00Z" },
    model: { name: "L3.2/24", version: "0.1.0" },
    accuracy: { state: "untested", lift: null },
    caveat_texts: { POTENTIAL: "Where forced orders would sit." },
  } as unknown as Meta;

  it("say what they show: source, window, record, caveats, hash", () => {
    const text = captions(meta, "liqscape map BTC").join("\n");
    for (const part of [
      "SIMULATED",
      "binance:BTCUSDT",
      "rebuilt with L3.2/24",
      "2025-12-01 00:05Z",
      "UNTESTED",
      "FILTERED: side long",
      "Where forced",
      "89406e508736d6f6",
      "liqscape map BTC",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("break their text and hold their plot", () => {
    expect(wrap("a bb ccc dddd", 6, (text) => text.length)).toEqual(["a bb", "ccc", "dddd"]);
    for (const shape of ["wide", "tall"] as const) {
      const { width, height, plot, ladder } = layoutOf(shape, 160);
      expect(plot.x + plot.width).toBe(ladder.x);
      expect(ladder.x + ladder.width).toBeLessThan(width);
      expect(plot.y + plot.height + 160).toBeLessThan(height);
    }
  });

  it("has its data at its own address with an ending", () => {
    expect(dataAddress("binance:BTCUSDT", "csv", { as_of: "2026-01-30T22:55:00Z", side: null })).toBe(
      "/binance:BTCUSDT.csv?as_of=2026-01-30T22%3A55%3A00Z",
    );
  });
});
