// Two instants beside each other: what the map held then and what it holds now, and how they differ.

import { percent, price, signed, usd, UNKNOWN } from "./format";
import { heldWithin, isPriorHeavy, landscapeOf, type Held } from "./landscape";
import { ratioText } from "./pools";
import type { MapData } from "./wire";

export interface CompareRow {
  name: string;
  unit: string;
  formula: string;
  then: string;
  now: string;
  difference: string;
}

/** Rows of `then` and `now`, within the window of the view. */
export function compareRows(then: MapData, now: MapData, within: number): CompareRow[] {
  const lands = [landscapeOf(then), landscapeOf(now)] as const;
  if (lands[0] === null || lands[1] === null) return [];
  const [a, b] = [heldWithin(lands[0], within), heldWithin(lands[1], within)];
  const near = `within ${percent(within, within < 0.01 ? 2 : 1)}`;
  const rows: CompareRow[] = [
    row("mark", "USD per coin", "price of the map", then.ladder.mark_price, now.ladder.mark_price, price),
    row(
      "open interest",
      "USD, one side",
      "contracts open, at the price of the map",
      then.totals.open_interest_usd,
      now.totals.open_interest_usd,
      usd,
    ),
    row(
      `shorts ${near}`,
      "USD at the level",
      `sum of the map's short levels ${near} above the mark`,
      a.short,
      b.short,
      usd,
    ),
    row(
      `longs ${near}`,
      "USD at the level",
      `sum of the map's long levels ${near} below the mark`,
      a.long,
      b.long,
      usd,
    ),
  ];
  const imbalance = (held: Held): number | null => {
    const whole = held.short + held.long;
    return whole > 0 ? (held.short - held.long) / whole : null;
  };
  const [was, is] = [imbalance(a), imbalance(b)];
  rows.push({
    name: `short : long ${near}`,
    unit: "shorts for every long; the difference is that of the imbalance, -1 to 1",
    formula: "short pool / long pool; imbalance = (short - long) / (short + long)",
    then: ratioOf(a),
    now: ratioOf(b),
    difference:
      isPriorHeavy(a.priorShare) || isPriorHeavy(b.priorShare) || was === null || is === null
        ? UNKNOWN
        : `imbalance ${signed(is - was)}`,
  });
  return rows;
}

/** As the asymmetry panel says it: none where most of it is assumption. */
function ratioOf(held: Held): string {
  return isPriorHeavy(held.priorShare) ? `${percent(held.priorShare, 0)} assumption: no ratio` : ratioText(held);
}

function row(
  name: string,
  unit: string,
  formula: string,
  then: number | null,
  now: number | null,
  write: (value: number | null) => string,
): CompareRow {
  const known = then !== null && now !== null && then > 0;
  return {
    name,
    unit,
    formula,
    then: write(then),
    now: write(now),
    difference: known ? percent(now / then - 1, 1, true) : UNKNOWN,
  };
}
