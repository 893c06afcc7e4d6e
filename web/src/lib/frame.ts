// Where prices lie on a canvas beside the chart.

export interface Frame {
  width: number;
  height: number;
  /** Device pixels a CSS pixel. */
  ratio: number;
  y(price: number): number | null;
}
