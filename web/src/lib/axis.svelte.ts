// The price axis that the chart and the ladder share. The chart owns it and tells when it moved; the ladder draws on it.

export class Axis {
  /** Grows whenever the scale or the size changed: reading it makes a drawing follow. */
  version = $state(0);
  /** Height of the plot, CSS pixels; the ladder has the same. */
  height = $state(0);
  /** Lowest and highest price that is seen. */
  low = $state(0);
  high = $state(0);
  private middle = 0;

  private toY: (price: number) => number | null = () => null;
  private toPrice: (y: number) => number | null = () => null;

  /** Called by the chart. */
  set(height: number, toY: (price: number) => number | null, toPrice: (y: number) => number | null): void {
    const low = toPrice(height) ?? 0;
    const high = toPrice(0) ?? 0;
    const middle = toPrice(height / 2) ?? 0;
    this.toY = toY;
    this.toPrice = toPrice;
    // Moving in time alone changes nothing here; the middle tells a logarithmic axis from a straight one.
    if (height === this.height && low === this.low && high === this.high && middle === this.middle) return;
    this.height = height;
    this.low = low;
    this.high = high;
    this.middle = middle;
    this.version++;
  }

  /** CSS pixels from the top of the plot; null while there is no chart. */
  y(price: number): number | null {
    return this.toY(price);
  }

  price(y: number): number | null {
    return this.toPrice(y);
  }
}
