import { describe, expect, it } from "vitest";
import {
  dollars,
  fundingPerYear,
  fundingText,
  oddsPair,
  oddsText,
  priceMove,
  ratioWords,
  shortUsd,
  simulatedOdds,
  venueOf,
} from "../src/lib/said";

describe("words of numbers", () => {
  it("funding of 0.01 % in 8 h is 10.95 % a year", () => {
    expect(fundingPerYear(0.0001, 8 * 3600)).toBeCloseTo(0.1095, 10);
    expect(fundingText(0.0001, 8 * 3600)).toBe("+1.0 bp/8h");
    expect(fundingText(3.875e-7, 8 * 3600)).toBe("+0.004 bp/8h");
    expect(fundingText(null, null)).toBe("–");
    expect(fundingPerYear(0.0001, null)).toBeNull();
  });

  it("odds are never rounded to none or to all", () => {
    expect(oddsText(0)).toBe("0 %");
    expect(oddsText(1e-6)).toBe("< 0.1 %");
    expect(oddsText(0.0138)).toBe("1.4 %");
    expect(oddsText(0.69)).toBe("69 %");
    expect(oddsText(0.9999)).toBe("> 99 %");
    expect(oddsText(null)).toBe("–");
    expect(oddsPair(0.69, 0.29)).toBe("69 | 29 %");
    expect(oddsPair(0.69, null)).toBe("69 % | –");
    expect(simulatedOdds({ value: 0.5486, error: 0.043 })).toBe("55 ±4 %");
    expect(simulatedOdds({ value: 0.16, error: 0.001 })).toBe("16 %");
  });

  it("moves are dollars of price, with their sign", () => {
    expect(priceMove(770)).toBe("+$770");
    expect(priceMove(-2000)).toBe("-$2,000");
    expect(priceMove(-0.0123)).toBe("-$0.01230");
    expect(priceMove(null)).toBe("–");
  });

  it("budgets carry no empty digits", () => {
    expect(dollars([50e6, 1e9, 2.5e9, 1.1e9])).toBe("$50M, $1B, $2.5B, $1.1B");
    expect(shortUsd(250e6)).toBe("$250M");
    expect(shortUsd(10.8e6)).toBe("$10.8M");
    expect(shortUsd(null)).toBe("–");
  });

  it("a ratio is short : long whichever is greater", () => {
    expect(ratioWords(1.6)).toBe("1.6 : 1");
    expect(ratioWords(0.625)).toBe("1 : 1.6");
    expect(ratioWords(14)).toBe("> 10 : 1");
    expect(ratioWords(null)).toBe("–");
    expect(venueOf("binance:BTCUSDT")).toBe("binance");
  });
});
