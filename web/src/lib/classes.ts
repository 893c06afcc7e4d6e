// Classes of leverage as a range of neighbours: the API knows one range, so ticks always stand side by side.

export interface LeverageClass {
  from: number;
  to: number;
  name: string;
}

/** Effective leverage 1 / d, where d is the distance from the opening price to the liquidation price. */
export const CLASSES: readonly LeverageClass[] = [
  { from: 1, to: 3, name: "1–3x" },
  { from: 3, to: 5, name: "3–5x" },
  { from: 5, to: 10, name: "5–10x" },
  { from: 10, to: 25, name: "10–25x" },
  { from: 25, to: 50, name: "25–50x" },
  { from: 50, to: 200, name: "over 50x" },
];

/** A class of which more is assumption is pure prior. */
export const PURE_PRIOR = 0.95;

/** First and last ticked class. */
export type Ticked = readonly [number, number];

export const ALL: Ticked = [0, CLASSES.length - 1];

/** Ticks of a word such as `10-50`; null is all. A range that is no row of classes ticks what it touches. */
export function tickedOf(word: string | null): Ticked {
  const found = /^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?$/.exec(word ?? "");
  if (!found) return ALL;
  const from = Number(found[1]);
  const to = found[2] === undefined ? from : Number(found[2]);
  const touched = CLASSES.map((each, i) => (each.to > from && each.from < Math.max(to, from + 1e-9) ? i : -1)).filter(
    (i) => i >= 0,
  );
  return touched.length ? [touched[0]!, touched[touched.length - 1]!] : ALL;
}

/** The word of ticks; null is all. */
export function wordOfTicks([first, last]: Ticked): string | null {
  if (first === 0 && last === CLASSES.length - 1) return null;
  return `${CLASSES[first]!.from}-${CLASSES[last]!.to}`;
}

/** Tick or untick: beyond the ends the row grows up to it, at an end it shrinks; the last one stays. */
export function toggle([first, last]: Ticked, index: number): Ticked {
  if (index < first) return [index, last];
  if (index > last) return [first, index];
  if (first === last) return [first, last];
  if (index === first) return [first + 1, last];
  if (index === last) return [first, last - 1];
  return index - first < last - index ? [index, last] : [first, index];
}

/** Ticks to begin with: everything but the classes at either end that are pure prior. */
export function startTicks(priorShares: readonly (number | null)[]): Ticked {
  const pure = (i: number): boolean => (priorShares[i] ?? 1) > PURE_PRIOR;
  let first = 0;
  let last = CLASSES.length - 1;
  while (first < last && pure(first)) first++;
  while (last > first && pure(last)) last--;
  return [first, last];
}

/** Why a class is unticked at the start. */
export function whyUnticked(share: number | null): string {
  if (share === null) return "nothing stands there now: all of it would be assumption";
  return `${Math.floor(share * 100)} % of it is assumption, not data`;
}
