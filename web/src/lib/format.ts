// Numbers as people read them; the same words as the shell prints. Unknown is never zero: null is a dash.

export const UNKNOWN = "–";

const SCALES: readonly [number, string][] = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "K"],
];

/** `$1.10B`, `$250M`, `$46K`: three digits, as the shell. */
export function usd(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  const size = Math.abs(value);
  const sign = value < 0 ? "-" : "";
  for (const [scale, letter] of SCALES) {
    if (size >= scale * 0.9995) return `${sign}$${digits(size / scale)}${letter}`;
  }
  return `${sign}$${Math.round(size)}`;
}

function digits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

/** `84,178.9`: enough digits to tell two ticks apart. */
export function price(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  const size = Math.abs(value);
  const decimals = size >= 10_000 ? 1 : size >= 100 ? 2 : size >= 1 ? 4 : 6;
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A level on the ladder: no more digits than its row can mean. */
export function level(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  return value >= 1000 ? Math.round(value).toLocaleString("en-US") : price(value);
}

/** `+1.5 %`. */
export function percent(value: number | null | undefined, decimals = 1, sign = false): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  return `${sign && value > 0 ? "+" : ""}${fixed(value * 100, decimals)} %`;
}

/** `0.25 %`, `5 %`: a border that somebody chose, with as many decimals as it has, two at most. */
export function border(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  return `${Number((value * 100).toFixed(2))} %`;
}

/** As `toFixed`, without a minus before nought. */
function fixed(value: number, decimals: number): string {
  return (Number(value.toFixed(decimals)) + 0).toFixed(decimals);
}

/** `+0.24`. */
export function signed(value: number | null | undefined, decimals = 2): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  return `${value > 0 ? "+" : ""}${fixed(value, decimals)}`;
}

/** `3 s`, `12 min`, `4 h`, `9 d`. */
export function age(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return UNKNOWN;
  const s = Math.max(0, seconds);
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

/** `2026-01-30 22:55Z`. */
export function instant(iso: string | null | undefined): string {
  if (!iso) return UNKNOWN;
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)}Z`;
}

export interface Estimate {
  median: number | null;
  lo: number | null;
  hi: number | null;
  level?: number | null;
  prior_share?: number | null;
}

/** `$498M [372–663]`: the interval in the unit of the median. */
export function usdInterval(value: Estimate | null | undefined): string {
  if (!value || value.median == null) return UNKNOWN;
  if (value.lo == null || value.hi == null) return usd(value.median);
  return `${usd(value.median)} [${usd(value.lo).replace("$", "")}–${usd(value.hi).replace("$", "")}]`;
}

/** `1.6 [1.1–2.4]`. */
export function interval(value: Estimate | null | undefined, write: (x: number) => string): string {
  if (!value || value.median == null) return UNKNOWN;
  if (value.lo == null || value.hi == null) return write(value.median);
  return `${write(value.median)} [${write(value.lo)}–${write(value.hi)}]`;
}
