// The price axis that the chart and the ladder share. The chart owns it and tells when it moved; the ladder draws on it.

export class Axis {
  /** Grows whenever the scale or the size changed: reading it makes a drawing follow. */
  version = $state(0);
  /** Height of the plot, CSS pixels; the ladder has the same. */
  height = $state(0);
  /** Lowest and highest price that is seen. */
  low = $state(0);
  high = $state(0);

  private toY: (price: number) => number | null = () => null;
  private toPrice: (y: number) => number | null = () => null;

  /** Called by the chart. */
  set(height: number, toY: (price: number) => number | null, toPrice: (y: number) => number | null): void {
    this.toY = toY;
    this.toPrice = toPrice;
    this.height = height;
    this.low = toPrice(height) ?? 0;
    this.high = toPrice(0) ?? 0;
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
