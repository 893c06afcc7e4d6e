// How lightweight-charts is set up, and the page's colours for what is drawn on a canvas.

import {
  ColorType,
  createChart,
  CrosshairMode,
  LineSeries,
  PriceScaleMode,
  type IChartApi,
  type ISeriesApi,
  type UTCTimestamp,
} from "lightweight-charts";
import { price as priceText } from "../../lib/format";
import type { Inks } from "../../lib/heat/scene";

/** Read the theme's tokens; they follow the system's light or dark. */
export function inksOf(element: Element): Inks {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    up: read("--up-candle"),
    down: read("--down-candle"),
    outline: read("--panel"),
    text: read("--text"),
    quiet: read("--quiet"),
    hatch: read("--line-strong"),
    assumed: read("--heat-hatch"),
    edge: read("--text"),
    short: read("--short"),
    long: read("--long"),
    ground: read("--heat-ground"),
    panel: read("--panel"),
  };
}

export function makeChart(element: HTMLElement, inks: Inks): { chart: IChartApi; series: ISeriesApi<"Line"> } {
  const chart = createChart(element, {
    autoSize: true,
    crosshair: { mode: CrosshairMode.Normal },
    handleScale: {
      axisDoubleClickReset: { time: false, price: true },
      axisPressedMouseMove: true,
      mouseWheel: true,
      pinch: true,
    },
    handleScroll: { horzTouchDrag: true, vertTouchDrag: false, mouseWheel: true, pressedMouseMove: true },
    kineticScroll: { touch: false, mouse: false },
    localization: { priceFormatter: axisText, timeFormatter: (time: UTCTimestamp) => stamp(time) },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.03, bottom: 0.03 }, minimumWidth: 74 },
    timeScale: {
      borderVisible: false,
      minBarSpacing: 0.01,
      rightOffset: 0,
      timeVisible: true,
      secondsVisible: false,
      lockVisibleTimeRangeOnResize: true,
      shiftVisibleRangeOnNewBar: true,
    },
    ...colours(inks),
  });
  const series = chart.addSeries(LineSeries, {
    lineVisible: false,
    pointMarkersVisible: false,
    crosshairMarkerVisible: false,
    priceLineVisible: false,
    lastValueVisible: false,
  });
  return { chart, series };
}

/** The mark's label on the axis; its line is drawn with the others. */
export function markOptions(price: number, inks: Inks) {
  return {
    price,
    color: inks.text,
    lineVisible: false,
    axisLabelVisible: true,
    axisLabelTextColor: inks.panel,
    title: "",
  };
}

export function colours(inks: Inks) {
  return {
    layout: {
      background: { type: ColorType.Solid, color: inks.ground },
      textColor: inks.quiet,
      fontSize: 11,
      attributionLogo: true,
    },
    grid: { vertLines: { visible: false }, horzLines: { visible: false } },
  };
}

export function setLog(chart: IChartApi, log: boolean): void {
  chart.priceScale("right").applyOptions({ mode: log ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
}

/** Prices on the axis: as few digits as tell two of its labels apart. */
export function axisText(value: number): string {
  return value >= 1000
    ? value.toLocaleString("en-US", { maximumFractionDigits: value >= 10_000 ? 0 : 1 })
    : priceText(value);
}

/** `30 Jan 22:55Z`. */
export function stamp(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  return `${day} ${date.toISOString().slice(11, 16)}Z`;
}
