// Instants of the scrubber: all of them on whole columns, so that a step is always a step of the map.

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const LOOK_MS: Record<string, number> = {
  "12h": 12 * HOUR,
  "1d": DAY,
  "7d": 7 * DAY,
  "30d": 30 * DAY,
  "90d": 90 * DAY,
  "1y": 365 * DAY,
};

/** `2026-01-30T22:55Z`: as short as the API reads it. */
export function isoOf(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith(":00.000Z") ? `${text.slice(0, 16)}Z` : `${text.slice(0, 19)}Z`;
}

export interface Range {
  from: number;
  to: number;
}

/** What the scrubber spans: as much as the chart looks back, ending now, and always the shown instant. */
export function scrubRange(look: string, end: number, start: number | null, shown: number): Range {
  const span = Math.max(LOOK_MS[look] ?? 30 * DAY, (end - shown) * 1.25);
  return { from: Math.max(start ?? -Infinity, end - span), to: end };
}

/** A step from an instant, on a whole column, inside the record; null means now: the end was reached. */
export function stepped(shown: number, stepMs: number, columnMs: number, range: Range): number | null {
  const wanted = Math.round((shown + stepMs) / columnMs) * columnMs;
  if (wanted >= range.to) return null;
  return Math.max(wanted, Math.ceil(range.from / columnMs) * columnMs);
}

/** How many whole columns the replay moves after so many milliseconds at a speed, and what is left over. */
export function played(elapsedMs: number, speed: number, columnMs: number): { columns: number; leftMs: number } {
  const market = elapsedMs * speed;
  const columns = Math.floor(market / columnMs);
  return { columns, leftMs: (market - columns * columnMs) / speed };
}
