// The chart without its frame: grid, tiles and candles in, pictures out; tells where the pointer and the axis are.

import type { IChartApi, IPriceLine, ISeriesApi, Logical, MouseEventParams, UTCTimestamp } from "lightweight-charts";
import { bytes } from "../../lib/api";
import type { Axis } from "../../lib/axis.svelte";
import { decodeCandles, extremes, joinAfter, type Candles } from "../../lib/heat/candles";
import { decodeDelta } from "../../lib/heat/delta";
import { bytesOf, gridOf, levelFor, tilesFor, type Grid } from "../../lib/heat/levels";
import { HeatPrimitive } from "../../lib/heat/primitive";
import { lookUp, type Palette, type Scale } from "../../lib/heat/scale";
import type { Line } from "../../lib/heat/scene";
import { byteOf, type ByteScale, type Tile } from "../../lib/heat/tile";
import { Tiles } from "../../lib/heat/tiles";
import { dotsOf } from "../../lib/prints";
import type { HeatData, LiquidationsData } from "../../lib/wire";
import { colours, inksOf, makeChart, markOptions, setLog } from "./setup";

export interface Heard {
  /** Pointer over the plot; null when it left. `at` is ms since 1970. */
  pointer(price: number | null, at: number | null): void;
  click(price: number): void;
  /** The clicks that came before were the halves of this one. */
  doubleClick(): void;
  /** The grid changed on the server in a way that must be asked for. */
  stale(): void;
  /** The view reached before the first column. */
  beforeStart(): void;
  /** Tiles came or the view changed: the legend may count again. */
  drawn(): void;
}

/** How far beyond the mark both sides stay in view, at least. */
const BOTH_SIDES = 0.04;
const WARM_MS = 2_000;

export class ChartController {
  readonly chart: IChartApi;
  readonly series: ISeriesApi<"Line">;
  readonly primitive: HeatPrimitive;
  private tiles: Tiles | null = null;
  private grid: Grid | null = null;
  private own: Candles | null = null;
  private after: Candles | null = null;
  private mark: number | null = null;
  private half: number | null = null;
  private markLine: IPriceLine | null = null;
  private printed: LiquidationsData | null = null;
  private aborter = new AbortController();
  private touched = false;
  private colours: [Scale, Palette] | null = null;
  /** The shown instant, ms: what lies after it is hidden. */
  private clipMs: number | null = null;
  private stopped = false;
  private moving = false;
  private readonly ends: (() => void)[] = [];

  constructor(
    private readonly element: HTMLElement,
    private readonly axis: Axis,
    private readonly heard: Heard,
  ) {
    const inks = inksOf(element);
    const made = makeChart(element, inks);
    this.chart = made.chart;
    this.series = made.series;
    this.primitive = new HeatPrimitive({
      tiles: null,
      bytes: null,
      floorByte: 1,
      candles: null,
      first: 0,
      intervalS: 300,
      columns: 0,
      clip: null,
      instant: null,
      lines: [],
      dots: [],
      showHeat: true,
      showPrior: true,
      inks,
    });
    this.series.attachPrimitive(this.primitive);
    this.series.applyOptions({ autoscaleInfoProvider: () => this.priceRange() });
    this.listen();
  }

  /** Show a grid; while its candles are on their way the old picture stays. */
  async setGrid(data: HeatData): Promise<void> {
    const grid = gridOf(data);
    if (this.grid?.grid === grid.grid && this.grid.revision === grid.revision && this.grid.first === grid.first) return;
    this.aborter.abort();
    const aborter = (this.aborter = new AbortController());
    const got = await bytes(`heat/${grid.grid}/candles`, aborter.signal);
    if (this.stopped || aborter.signal.aborted || !got.ok) {
      if (!got.ok && !("aborted" in got)) this.heard.stale();
      return;
    }
    const candles = decodeCandles(got.value);
    const before = this.visibleTimes();
    const same = this.grid?.grid === grid.grid;
    if (same && this.tiles) {
      if (this.tiles.grid.revision !== grid.revision) this.tiles.refresh();
      Object.assign(this.tiles.grid, grid);
    } else {
      const tiles = new Tiles(grid, () => this.tilesCame());
      if (this.tiles) await this.warm(tiles);
      if (this.stopped || aborter.signal.aborted) return tiles.close();
      this.tiles?.close();
      this.primitive.bitmaps.clear();
      this.tiles = tiles;
    }
    this.grid = this.tiles!.grid;
    this.own = candles;
    this.after = null;
    const shown = { tiles: this.tiles, bytes: bytesOf(grid), first: grid.first, intervalS: grid.interval_s };
    this.primitive.show({ ...shown, columns: grid.columns, candles, instant: null, clip: this.clipColumn() });
    this.setSeries();
    this.prints(this.printed);
    if (before && this.touched) this.showTimes(before);
    else this.chart.timeScale().fitContent();
    this.moved();
    this.heard.drawn();
  }

  /** What came after the shown instant: candles only, drawn right of it. */
  async setAfter(data: HeatData | null): Promise<void> {
    const grid = this.grid;
    if (!grid || !this.own) return;
    if (!data) {
      if (this.after) this.primitive.show({ candles: this.own, columns: grid.columns, instant: null });
      this.after = null;
      this.setSeries();
      return;
    }
    const got = await bytes(`heat/${data.grid}/candles`, this.aborter.signal);
    if (!got.ok || data.interval_s !== grid.interval_s || this.grid !== grid) return;
    const skip = grid.first + grid.columns - data.first;
    this.after = joinAfter(this.own, decodeCandles(got.value), skip);
    this.primitive.show({ candles: this.after, columns: this.after.length, instant: grid.columns });
    this.setSeries();
    this.chart.timeScale().fitContent();
  }

  /** A frame of the stream; null or a missed revision means: ask for the grid. */
  frame(frame: ArrayBuffer | null): void {
    if (!frame || !this.tiles) return this.heard.stale();
    try {
      const delta = decodeDelta(frame);
      if (delta.grid !== this.tiles.grid.grid && delta.kind === "columns") return this.heard.stale();
      this.tiles.apply(delta);
    } catch {
      // A frame that cannot be read says no more than that there is news.
    }
    this.heard.stale();
  }

  colour(scale: Scale, palette: Palette): void {
    this.colours = [scale, palette];
    if (!this.grid) return;
    const bytesScale = bytesOf(this.grid);
    this.primitive.bitmaps.recolour(
      lookUp(scale, palette, bytesScale, this.primitive.scene.inks.ground, this.grid.part),
    );
    this.primitive.show({ floorByte: byteOf(scale.floorUsd, bytesScale) });
  }

  /** Hide what lies after an instant (ms); null hides nothing. */
  clipAt(at: number | null): void {
    this.clipMs = at;
    const clip = this.clipColumn();
    if (clip === this.primitive.scene.clip) return;
    this.primitive.show({ clip });
    this.setSeries();
  }

  /** Columns of the grid that is shown, not of one that is on its way. */
  private clipColumn(): number | null {
    const { grid, clipMs } = this;
    if (!grid || clipMs === null) return null;
    const clip = clipMs / 1000 / grid.interval_s - grid.first;
    return clip < grid.columns ? Math.max(0, clip) : null;
  }

  lines(lines: Line[], mark: number | null): void {
    const moved = mark !== this.mark;
    this.mark = mark;
    if (moved && this.markLine) this.series.removePriceLine(this.markLine);
    if (moved)
      this.markLine = mark === null ? null : this.series.createPriceLine(markOptions(mark, this.primitive.scene.inks));
    this.primitive.show({ lines });
    if (moved) this.moved();
  }

  /** Published forced orders; null takes them away. */
  prints(data: LiquidationsData | null): void {
    this.printed = data;
    const { candles, first, intervalS } = this.primitive.scene;
    this.primitive.show({ dots: data && candles ? dotsOf(data, candles, first, intervalS) : [] });
  }

  showHeat(showHeat: boolean, showPrior: boolean): void {
    this.primitive.show({ showHeat, showPrior });
  }

  setLog(log: boolean): void {
    setLog(this.chart, log);
    this.moved();
  }

  /** Keep the mark in the middle with so much of its price on either side; null is as the candles lie. */
  centre(half: number | null): void {
    if (half === this.half) return;
    this.half = half;
    this.chart.priceScale("right").setAutoScale(true);
    this.series.applyOptions({ autoscaleInfoProvider: () => this.priceRange() });
    this.moved();
  }

  /** Colours of the theme anew. */
  retheme(): void {
    const inks = inksOf(this.element);
    this.chart.applyOptions(colours(inks));
    if (this.markLine && this.mark !== null) this.markLine.applyOptions(markOptions(this.mark, inks));
    this.primitive.show({ inks });
    if (this.colours) this.colour(...this.colours);
  }

  /** Everything in view again. */
  refit(): void {
    this.touched = false;
    this.chart.priceScale("right").setAutoScale(true);
    this.chart.timeScale().fitContent();
    this.moved();
  }

  /** Put the crosshair at a price, at the newest column if no time is given. */
  cross(price: number | null): void {
    if (price === null || !this.grid) return this.chart.clearCrosshairPosition();
    const last = this.primitive.scene.clip ?? this.grid.columns;
    const column = this.grid.first + Math.max(0, Math.ceil(last) - 1);
    this.chart.setCrosshairPosition(price, (column * this.grid.interval_s) as UTCTimestamp, this.series);
  }

  /** The chart at another size as a picture, and where prices lie on it; the screen stays as it is. */
  picture(
    width: number,
    height: number,
    job: (image: HTMLCanvasElement, plotHeight: number, y: (price: number) => number | null) => void,
  ): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    this.chart.applyOptions({ autoSize: false });
    this.chart.resize(width, height, true);
    if (range) this.chart.timeScale().setVisibleLogicalRange(range);
    job(this.chart.takeScreenshot(true), this.plotHeight(), (price) => this.series.priceToCoordinate(price));
    this.chart.resize(this.element.clientWidth, this.element.clientHeight, true);
    this.chart.applyOptions({ autoSize: true });
    if (range) this.chart.timeScale().setVisibleLogicalRange(range);
  }

  /** Tiles of the level that is on screen, for the histogram. */
  tilesInView(): Tile[] {
    return this.tiles ? [...this.tiles.all()].map((held) => held.tile) : [];
  }

  get bytesScale(): ByteScale | null {
    return this.grid ? bytesOf(this.grid) : null;
  }

  get heatGrid(): Grid | null {
    return this.grid;
  }

  get heatTiles(): Tiles | null {
    return this.tiles;
  }

  close(): void {
    this.stopped = true;
    this.aborter.abort();
    this.tiles?.close();
    this.ends.forEach((end) => end());
    this.chart.remove();
  }

  private listen(): void {
    const scale = this.chart.timeScale();
    this.chart.subscribeCrosshairMove((event) => this.pointer(event));
    this.chart.subscribeClick((event) => {
      const price = event.point ? this.series.coordinateToPrice(event.point.y) : null;
      if (price !== null) this.heard.click(price);
    });
    const again = (event: MouseEvent): void => {
      const { left, top } = this.element.getBoundingClientRect();
      const inPlot = event.clientX - left < this.chart.timeScale().width();
      if (inPlot && event.clientY - top < this.plotHeight()) this.heard.doubleClick();
      // The price axis has its own: the library fits prices alone.
      if (inPlot) this.refit();
    };
    scale.subscribeVisibleLogicalRangeChange((range) => {
      this.moved();
      if (range && this.touched && this.grid && range.from < -0.02 * this.grid.columns) this.heard.beforeStart();
    });
    // The library tells widths only; a header that wraps changes the height.
    const sizes = new ResizeObserver(() => this.moved(2));
    sizes.observe(this.element);
    this.ends.push(() => sizes.disconnect());
    const wheel = (event: WheelEvent): void => this.wheel(event);
    const down = (): void => void (this.touched = true);
    const follow = (): void => this.moved();
    this.element.addEventListener("dblclick", again);
    this.element.addEventListener("wheel", wheel, { capture: true, passive: false });
    this.element.addEventListener("pointerdown", down, { capture: true });
    // Dragging the price axis has no event of its own.
    this.element.addEventListener("pointermove", follow);
    this.element.addEventListener("pointerup", follow);
    this.ends.push(() => {
      this.element.removeEventListener("dblclick", again);
      this.element.removeEventListener("wheel", wheel, { capture: true });
      this.element.removeEventListener("pointerdown", down, { capture: true });
      this.element.removeEventListener("pointermove", follow);
      this.element.removeEventListener("pointerup", follow);
    });
  }

  /** The wheel is time (the library's own); with shift it is price, about the pointer. */
  private wheel(event: WheelEvent): void {
    this.touched = true;
    if (!event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const y = event.clientY - this.element.getBoundingClientRect().top;
    const height = this.plotHeight();
    const factor = 1.12 ** Math.sign(event.deltaY || event.deltaX);
    const low = this.series.coordinateToPrice(y + (height - y) * factor);
    const high = this.series.coordinateToPrice(y - y * factor);
    if (low === null || high === null || !(high > low) || low <= 0) return;
    this.chart.priceScale("right").setVisibleRange({ from: low, to: high });
    this.moved();
  }

  private plotHeight(): number {
    return this.chart.panes()[0]?.getHeight() ?? this.element.clientHeight;
  }

  /** Tell the shared axis; after the library has drawn, for its scales move with the frame. */
  private moved(frames = 1): void {
    if (this.moving) return;
    this.moving = true;
    requestAnimationFrame(() => {
      this.moving = false;
      if (this.stopped) return;
      // A size is taken over by the library's own observer, and drawn a frame later.
      if (frames > 1) this.moved(frames - 1);
      this.axis.set(
        this.plotHeight(),
        (price) => this.series.priceToCoordinate(price),
        (y) => this.series.coordinateToPrice(y),
      );
    });
  }

  /** Wait until the tiles that the new view will need are here, so that the old picture stays until then; not for ever. */
  private async warm(tiles: Tiles): Promise<void> {
    const { grid } = tiles;
    const level = levelFor(grid.columns / Math.max(1, this.chart.timeScale().width()), grid.levels);
    for (const { index } of tilesFor(grid, level, grid.first, grid.first + grid.columns - 1)) tiles.get(level, index);
    const end = Date.now() + WARM_MS;
    while (tiles.busy && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 30));
  }

  private tilesCame(): void {
    this.primitive.redraw();
    this.heard.drawn();
  }

  private pointer(event: MouseEventParams): void {
    if (!event.point || !event.sourceEvent) {
      if (!event.point) this.heard.pointer(null, null);
      return;
    }
    const price = this.series.coordinateToPrice(event.point.y);
    const at = typeof event.time === "number" ? event.time * 1000 : null;
    this.heard.pointer(price, at);
  }

  private priceRange(): { priceRange: { minValue: number; maxValue: number } } | null {
    const { half, mark } = this;
    if (half !== null && mark !== null)
      return { priceRange: { minValue: mark * (1 - half), maxValue: mark * (1 + half) } };
    const scene = this.primitive.scene;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!scene.candles || !range) return null;
    const end = scene.clip === null ? range.to : Math.min(range.to, scene.clip - 1);
    const seen = extremes(scene.candles, range.from, end);
    if (!seen) return null;
    let [low, high] = seen;
    if (this.mark !== null && range.to >= (scene.clip ?? scene.columns) - 2) {
      low = Math.min(low, this.mark * (1 - BOTH_SIDES));
      high = Math.max(high, this.mark * (1 + BOTH_SIDES));
    }
    return { priceRange: { minValue: low, maxValue: high } };
  }

  private setSeries(): void {
    const { candles, first, intervalS, columns, clip } = this.primitive.scene;
    if (!candles) return;
    const end = clip === null ? columns : clip;
    this.series.setData(
      Array.from({ length: Math.min(columns, candles.length) }, (_, i) => {
        const time = ((first + i) * intervalS) as UTCTimestamp;
        const value = candles.close[i]!;
        return i >= end || Number.isNaN(value) ? { time } : { time, value };
      }),
    );
  }

  private visibleTimes(): [number, number] | null {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const { first, intervalS, columns } = this.primitive.scene;
    return range && columns ? [(first + range.from) * intervalS, (first + range.to) * intervalS] : null;
  }

  private showTimes([from, to]: [number, number]): void {
    const { first, intervalS } = this.primitive.scene;
    const logical = (time: number): Logical => (time / intervalS - first) as Logical;
    this.chart.timeScale().setVisibleLogicalRange({ from: logical(from), to: logical(to) });
  }
}
