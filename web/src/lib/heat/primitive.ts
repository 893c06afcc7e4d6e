// The chart's own primitive: joins lightweight-charts' scales to our drawing. The chart's series holds only closes and stays
// invisible; candles are drawn here, because 8,640 of them must become readable ones at every width.

import type {
  IChartApi,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  Logical,
  PrimitivePaneViewZOrder,
  SeriesAttachedParameter,
  Time,
} from "lightweight-charts";
import { Bitmaps, Readings } from "./bitmaps";
import { drawHeat } from "./drawheat";
import { CandleCache, drawCandles, drawDots, drawLines } from "./drawmarks";
import type { Place, Scene } from "./scene";

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

export class HeatPrimitive implements ISeriesPrimitive<Time> {
  readonly bitmaps = new Bitmaps();
  private readonly readings = new Readings();
  private readonly candles = new CandleCache();
  private chart: IChartApi | null = null;
  private series: ISeriesApi<"Line"> | null = null;
  private update: (() => void) | null = null;
  private readonly views: readonly IPrimitivePaneView[];

  constructor(public scene: Scene) {
    this.views = [
      view("bottom", (target) =>
        this.draw(target, (ctx, place) => drawHeat(ctx, this.scene, place, this.bitmaps, this.readings)),
      ),
      view("normal", (target) =>
        this.draw(target, (ctx, place) => {
          drawCandles(ctx, this.scene, place, this.candles);
          drawDots(ctx, this.scene, place);
          drawLines(ctx, this.scene, place);
        }),
      ),
    ];
  }

  attached(param: SeriesAttachedParameter<Time>): void {
    this.chart = param.chart as unknown as IChartApi;
    this.series = param.series as unknown as ISeriesApi<"Line">;
    this.update = param.requestUpdate;
  }

  detached(): void {
    this.bitmaps.clear();
    this.chart = this.series = this.update = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  /** Draw again with the next frame. */
  redraw(): void {
    this.update?.();
  }

  /** Change what is drawn. */
  show(change: Partial<Scene>): void {
    this.scene = { ...this.scene, ...change };
    this.update?.();
  }

  private draw(target: Target, job: (ctx: CanvasRenderingContext2D, place: Place) => void): void {
    const { chart, series } = this;
    if (!chart || !series || !this.scene.columns) return;
    const scale = chart.timeScale();
    const x0 = scale.logicalToCoordinate(0 as Logical);
    const spacing = scale.options().barSpacing;
    const [a, b] = [series.coordinateToPrice(0), series.coordinateToPrice(100)];
    if (x0 === null || a === null || b === null) return;
    target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio, verticalPixelRatio }) => {
      const place: Place = {
        x: (column) => Math.round((x0 + (column - 0.5) * spacing) * horizontalPixelRatio),
        y: (price) => (series.priceToCoordinate(price) ?? 0) * verticalPixelRatio,
        perColumn: spacing * horizontalPixelRatio,
        width: bitmapSize.width,
        height: bitmapSize.height,
        ratio: verticalPixelRatio,
      };
      job(context, place);
    });
  }
}

function view(zOrder: PrimitivePaneViewZOrder, draw: (target: Target) => void): IPrimitivePaneView {
  const renderer: IPrimitivePaneRenderer = { draw };
  return { zOrder: () => zOrder, renderer: () => renderer };
}
