// Mark candles: one a column as the server sends them, joined to wider ones as the view widens, on whole multiples of time.

export interface Candles {
  open: Float32Array;
  high: Float32Array;
  low: Float32Array;
  close: Float32Array;
  length: number;
}

/** Four planes of float32, NaN where nothing is known. */
export function decodeCandles(buffer: ArrayBuffer): Candles {
  const length = buffer.byteLength / 16;
  if (!Number.isInteger(length)) throw new Error(`candles: ${buffer.byteLength} bytes are not four planes`);
  const plane = (k: number): Float32Array => new Float32Array(buffer, k * length * 4, length);
  return { open: plane(0), high: plane(1), low: plane(2), close: plane(3), length };
}

/** Widths of a candle, seconds. */
const WIDTHS = [60, 300, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];

/** How many columns one candle joins, so that it is at least `least` pixels wide. */
export function candleColumns(pixelsPerColumn: number, intervalS: number, least = 5): number {
  const wanted = (least / pixelsPerColumn) * intervalS;
  const width = WIDTHS.find((each) => each >= wanted && each % intervalS === 0) ?? WIDTHS[WIDTHS.length - 1]!;
  return pixelsPerColumn >= least ? 1 : Math.max(1, Math.round(width / intervalS));
}

/** Candles of `n` columns, on absolute multiples of n; `offset` is how many columns of the first one lie before the data. */
export interface Joined extends Candles {
  n: number;
  offset: number;
}

/** Join candles; `first` is the absolute number of the first column, of `end` columns only those before it are taken. */
export function join(candles: Candles, first: number, n: number, end = candles.length): Joined {
  const offset = ((first % n) + n) % n;
  const length = Math.ceil((offset + end) / n);
  const nan = (): Float32Array => new Float32Array(length).fill(NaN);
  const found: Joined = { open: nan(), high: nan(), low: nan(), close: nan(), length, n, offset };
  for (let i = 0; i < end; i++) {
    const close = candles.close[i]!;
    if (Number.isNaN(close)) continue;
    const k = Math.floor((i + offset) / n);
    if (Number.isNaN(found.open[k]!)) {
      found.open[k] = candles.open[i]!;
      found.high[k] = candles.high[i]!;
      found.low[k] = candles.low[i]!;
    } else {
      found.high[k] = Math.max(found.high[k]!, candles.high[i]!);
      found.low[k] = Math.min(found.low[k]!, candles.low[i]!);
    }
    found.close[k] = close;
  }
  return found;
}

/** Lowest low and highest high of columns [from, to]; null where nothing is known. */
export function extremes(candles: Candles, from: number, to: number): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (let i = Math.max(0, Math.floor(from)); i <= Math.min(candles.length - 1, Math.ceil(to)); i++) {
    if (candles.low[i]! < low) low = candles.low[i]!;
    if (candles.high[i]! > high) high = candles.high[i]!;
  }
  return low <= high ? [low, high] : null;
}

/** Candles followed by those of another stretch, of which the first `skip` are left out. */
export function joinAfter(own: Candles, after: Candles, skip: number): Candles {
  const start = Math.max(0, skip);
  const plane = (a: Float32Array, b: Float32Array): Float32Array => {
    const rest = b.subarray(start);
    const made = new Float32Array(a.length + rest.length);
    made.set(a);
    made.set(rest, a.length);
    return made;
  };
  const open = plane(own.open, after.open);
  return {
    open,
    high: plane(own.high, after.high),
    low: plane(own.low, after.low),
    close: plane(own.close, after.close),
    length: open.length,
  };
}
