import { describe, expect, it } from "vitest";
import { DEFAULTS, dollarsOf, dollarWord, formatView, isPlain, parseView, wordsOf } from "../src/lib/address";

const read = (address: string) => {
  const [path, query] = address.split("?");
  return parseView(path!, query ?? "");
};

describe("the address", () => {
  it.each([
    "/",
    "/BTC",
    "/binance:BTCUSDT?as_of=2026-01-30T22:55Z",
    "/BTC?within=3.5%25&venue=binance,okx&side=long&leverage=10-50&min_usd=1M&reading=true&look=7d",
    "/BTC?scale=50K-5M&palette=inferno&axis=log&hide=heat,prior&shock=500M&preset=thin-hour&usd=250M,1.5B",
    "/BTC?scale=shape&compare=1d&pin=85000&open=accuracy&tab=heat&bench=1",
  ])("is read and written again as it was: %s", (address) => {
    expect(formatView(read(address))).toBe(address);
  });

  it("drops what makes no sense instead of failing", () => {
    const view = read("/BTC?as_of=yesterday&within=900%&side=up&look=3d&scale=5M-50K&pin=-3&venue=a b,okx&shock=lots");
    expect(view).toEqual({ ...DEFAULTS, instrument: "BTC", venues: ["okx"] });
    expect(read("/../etc").instrument).toBeNull();
    expect(read("/%3Cscript%3E").instrument).toBeNull();
  });

  it("gives each route its own words and no others", () => {
    const view = read("/BTC?as_of=2026-01-30T22:55Z&side=short&leverage=10&shock=500M&usd=1B&look=90d&within=3%25");
    expect(wordsOf(view, "now")).toEqual({ as_of: "2026-01-30T22:55Z", venue: null, reading: null });
    expect(wordsOf(view, "map")).toMatchObject({ side: "short", leverage: "10" });
    expect(wordsOf(view, "asymmetry")["within"]).toBe("1%,2%,3%,5%,10%,20%");
    expect(wordsOf(view, "move-to")["usd"]).toBe("1B");
    expect(wordsOf(view, "cascade")).toMatchObject({ shock: "500M", preset: null });
    expect(wordsOf(view, "heat")).toMatchObject({ window: "90d", interval: "15m" });
    expect(wordsOf(view, "accuracy")).toEqual({});
  });

  it("knows when the live topics say the same", () => {
    expect(isPlain(read("/BTC?within=5%25&palette=grey"))).toBe(true);
    expect(isPlain(read("/BTC?side=long"))).toBe(false);
    expect(isPlain(read("/BTC?as_of=2026-01-30T22:55Z"))).toBe(false);
  });

  it("writes dollars as people type them", () => {
    expect([1e9, 2.5e8, 46_000, 999].map(dollarWord)).toEqual(["1B", "250M", "46K", "999"]);
    expect(dollarsOf("1.5B")).toBe(1.5e9);
    expect(dollarsOf("-3M")).toBeNull();
  });
});
