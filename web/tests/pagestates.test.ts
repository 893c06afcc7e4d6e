import { describe, expect, it } from "vitest";
import { clockOffS, isAllStale, pageStates, type Seen } from "../src/lib/pagestates";
import type { Failure } from "../src/lib/api";
import type { HealthData, InstrumentsData, Meta } from "../src/lib/wire";

const clock = Date.parse("2026-02-01T00:00:30Z");
const part = {
  instrument: "binance:BTCUSDT",
  quote: "USDT",
  contract: "linear",
  open_interest_usd: 1,
  share: 1,
  age_s: 30,
  feeds: [],
  completeness: "all",
  measured_share: 0,
  accounts: null,
};
const meta = {
  as_of: "2026-02-01T00:00:00Z",
  age_s: 30,
  simulated: false,
  stale: [],
  window: { from: "", to: "", bars: 100, missing_bars: 0 },
  coverage: { parts: [part], venues: [], completeness: "all", measured_share: 0, open_interest_share: null },
  accuracy: { state: "tested", reasons: [] as string[] },
} as unknown as Meta;
const health: HealthData = {
  status: "ok",
  version: "1",
  now: "2026-02-01T00:00:30.123456789Z",
  demo: false,
  instruments: {},
  clients: 0,
  recorders: [],
};
const stored = { bases: ["BTC"], instruments: [{ instrument: "binance:BTCUSDT" }] } as unknown as InstrumentsData;
const well: Seen = {
  clock,
  asOf: null,
  instrument: "BTC",
  meta,
  metaAt: clock,
  priorHeavyWindows: 1,
  windows: 3,
  failure: null,
  retryAt: null,
  live: "live",
  liveRetryAt: null,
  heardAt: clock,
  health,
  healthAt: clock,
  healthFailure: null,
  healthRetryAt: null,
  instruments: stored,
};
const failure = (code: string, status: number, context: Record<string, unknown> = {}): Failure => ({
  code,
  status,
  message: `${code} message`,
  hint: "a hint",
  retryAfterS: 4,
  context,
});
const codes = (seen: Partial<Seen>): string[] => pageStates({ ...well, ...seen }).map((each) => each.code);

describe("page states", () => {
  it("says nothing while all is well", () => {
    expect(codes({})).toEqual([]);
  });

  it("no data names the next commands", () => {
    const [state] = pageStates({
      ...well,
      meta: null,
      failure: failure("NO_DATA", 404),
      instruments: { bases: [], instruments: [] },
    });
    expect(state?.code).toBe("no-data");
    expect(state?.commands).toEqual([
      "liqscape serve --demo",
      "liqscape backfill BTC --days 30",
      "liqscape import FOLDER",
    ]);
    expect(
      codes({ meta: null, failure: failure("UNKNOWN_INSTRUMENT", 404), instruments: { bases: [], instruments: [] } }),
    ).toEqual(["no-data"]);
  });

  it("an unknown market offers one that is stored", () => {
    const [state] = pageStates({ ...well, meta: null, failure: failure("UNKNOWN_INSTRUMENT", 404) });
    expect(state?.action).toEqual({ label: "open BTC", instrument: "BTC" });
  });

  it("warming up, upstream and rate limit say when it is asked again", () => {
    for (const [code, status, name] of [
      ["WARMING_UP", 503, "warming-up"],
      ["UPSTREAM", 502, "upstream"],
      ["UNEXPECTED", 500, "upstream"],
      ["RATE_LIMIT", 429, "rate-limit"],
    ] as const) {
      const [state] = pageStates({ ...well, failure: failure(code, status), retryAt: clock + 4000 });
      expect(state?.code).toBe(name);
      expect(state?.retryAt).toBe(clock + 4000);
    }
  });

  it("before the record offers what would rebuild it", () => {
    const context = {
      first_ns: Date.parse("2025-12-01T00:00:00Z") * 1e6,
      last_ns: Date.parse("2026-04-01T00:00:00Z") * 1e6,
    };
    const [state] = pageStates({
      ...well,
      asOf: "2025-01-01T00:00Z",
      meta: null,
      failure: failure("OUT_OF_RECORD", 404, context),
    });
    expect(state?.code).toBe("out-of-record");
    expect(state?.text).toContain("2025-12-01");
    expect(state?.commands?.[0]).toMatch(/^liqscape backfill BTC --days \d+$/);
  });

  it("a lost server is told with its age and the next try", () => {
    const [state] = pageStates({ ...well, live: "lost", liveRetryAt: clock + 500, heardAt: clock - 20_000 });
    expect(state?.code).toBe("server-lost");
    expect(state?.text).toContain("20 s ago");
    expect(state?.retryAt).toBe(clock + 500);
    expect(codes({ asOf: "2026-01-01T00:00Z", live: "off", healthFailure: failure("UNREACHABLE", 0) })).toEqual([
      "server-lost",
    ]);
  });

  it("a stale venue is named, all stale greys the page, a past instant is never stale", () => {
    const late = { input: "bars", instrument: part.instrument, at: null, age_s: 700, left_out: false, reason: null };
    const old = { ...meta, age_s: 700, stale: [late] } as Meta;
    expect(isAllStale({ ...well, meta: old })).toBe(true);
    expect(codes({ meta: old })).toEqual(["all-stale"]);
    expect(isAllStale({ ...well, meta: old, asOf: "2026-01-01T00:00Z" })).toBe(false);
    const two = {
      ...meta,
      stale: [{ ...late, instrument: "okx:BTC-USDT-SWAP", left_out: true, reason: "74 s old" }],
    } as Meta;
    expect(pageStates({ ...well, meta: two })[0]).toMatchObject({
      code: "left-out",
      title: "Without OKX BTC-USDT-SWAP.",
    });
  });

  it("a recorder that died or a venue that is down is told, one that was stopped is not", () => {
    const recorder = {
      writer: "recorder",
      alive: true,
      stopped: false,
      age_s: 2,
      alarms: [],
      venues: { okx: "down", bybit: "live" },
    };
    const of = (change: object): Partial<Seen> => ({
      health: { ...health, recorders: [{ ...recorder, ...change }] } as unknown as HealthData,
    });
    expect(pageStates({ ...well, ...of({}) })[0]).toMatchObject({
      code: "upstream-venue",
      title: "No answer from OKX.",
    });
    expect(codes(of({ venues: {} }))).toEqual([]);
    expect(codes(of({ alive: false, age_s: 300 }))).toEqual(["recorder-dead"]);
    expect(codes(of({ alive: false, stopped: true }))).toEqual([]);
    expect(codes({ ...of({}), asOf: "2026-01-01T00:00Z" })).toEqual([]);
  });

  it("gap, OFF, prior, simulated, clock", () => {
    expect(codes({ meta: { ...meta, window: { from: "", to: "", bars: 90, missing_bars: 10 } } as Meta })).toEqual([
      "gap",
    ]);
    const off = { ...meta, accuracy: { state: "off", reasons: ["lift below 1"] } } as unknown as Meta;
    expect(pageStates({ ...well, meta: off })[0]).toMatchObject({ code: "accuracy-off" });
    expect(codes({ priorHeavyWindows: 3 })).toEqual(["prior-heavy"]);
    expect(codes({ meta: { ...meta, simulated: true } as Meta })).toEqual(["simulated"]);
    expect(codes({ healthAt: clock + 5000 })).toEqual(["clock-off"]);
    expect(codes({ healthAt: clock + 1500 })).toEqual([]);
    expect(clockOffS(health, clock)).toBeCloseTo(-0.123);
    expect(clockOffS(null, clock)).toBeNull();
  });
});
