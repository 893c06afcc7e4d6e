// The text twin of chart and ladder: the same numbers as rows, from the farthest above to the farthest below.

import { level, percent, usd, usdInterval } from "./format";
import type { LadderRow, MapData, ZonesData } from "./wire";

export interface TwinRow {
  side: "short" | "long";
  price: string;
  away: string;
  usd: string;
  sum: string;
  data: string;
}

/** Rows above the mark, highest first, then rows below, nearest first: as the ladder stands. */
export function twinRows(data: MapData): { above: TwinRow[]; below: TwinRow[] } {
  const made = (side: "short" | "long") => (row: LadderRow) => ({
    side,
    price: level(row.price),
    away: percent(row.distance, 1, true),
    usd: usdInterval(row.usd),
    sum: usdInterval(row.sum_out_usd),
    data: percent(row.data_share, 0),
  });
  return { above: data.ladder.short.map(made("short")).reverse(), below: data.ladder.long.map(made("long")) };
}

/** What the bands of the heatmap say, in sentences. */
export function bandSentences(zones: ZonesData): string[] {
  const found = zones.zones.map((zone) => {
    const away = (zone.side === "short" ? 1 : -1) * (zone.near_distance ?? 0);
    const rounds = zone.round_numbers.map((one) => level(one.price)).join(", ");
    const side = zone.side === "short" ? "Shorts above" : "Longs below";
    return (
      `${side}: a dense zone from ${level(zone.from_price)} to ${level(zone.to_price)}, ${percent(away, 1, true)} away, holds ` +
      `${usdInterval(zone.pool_usd)}, ${percent(zone.prior_share, 0)} of it assumption; densest at ${level(zone.peak_price)} with ` +
      `${usd(zone.peak_usd)} per 0.1 %${rounds ? `; round prices in it: ${rounds}` : ""}.`
    );
  });
  return [...found, ...zones.findings];
}
