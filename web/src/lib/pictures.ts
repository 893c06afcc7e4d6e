// A picture that can be posted: what it shows, from when, in which unit, how it is known and what it does not say, all inside.

import { dollarWord, wordsOf } from "./address";
import { bytesAt, dataAddress } from "./api";
import { instant, percent, price as priceText, usdInterval } from "./format";
import { edges, PALETTES, type Scale } from "./heat/scale";
import { badgeLine } from "./record";
import { permalinkOf } from "./permalink";
import { withTexts } from "./pngtext";
import type { Store } from "./state.svelte";
import { encode } from "uqr";
import type { Answer, MapData, Meta } from "./wire";

export type Shape = "wide" | "tall";

/** Pixels of a module of the code. */
const MODULE = 3;

export interface Layout {
  width: number;
  height: number;
  margin: number;
  /** Of chart and ladder. */
  plot: { x: number; y: number; width: number; height: number };
  ladder: { x: number; width: number };
}

export function layoutOf(shape: Shape, footer: number): Layout {
  const [width, height] = shape === "wide" ? [1600, 900] : [1080, 1350];
  const margin = 28;
  const top = shape === "wide" ? 126 : 176;
  const ladderWidth = shape === "wide" ? 470 : 380;
  const inner = width - 2 * margin;
  return {
    width,
    height,
    margin,
    plot: { x: margin, y: top, width: inner - ladderWidth, height: height - top - footer - margin },
    ladder: { x: margin + inner - ladderWidth, width: ladderWidth },
  };
}

/** Break a text to lines of at most `width`, measured by `measure`. */
export function wrap(text: string, width: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && measure(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line ? [...lines, line] : lines;
}

/** What stands under the plot, a paragraph each. */
export function captions(meta: Meta, reproduce: string | null): string[] {
  const badge = meta.accuracy?.state.toUpperCase() ?? "UNTESTED";
  const lift = meta.accuracy?.lift;
  const record =
    lift?.median == null
      ? badge
      : `${badge}, lift ${lift.median.toFixed(2)} [${lift.lo?.toFixed(2)}–${lift.hi?.toFixed(2)}]`;
  const venues = meta.instruments.join(", ") || "–";
  const kind = meta.simulated ? "SIMULATED MARKET, not real prices. " : "";
  const how = meta.recorded ? "recorded live" : `rebuilt with ${meta.model?.name ?? "the model"}`;
  const window = meta.window ? `state built from ${instant(meta.window.from)} to ${instant(meta.window.to)}` : "";
  const filters = Object.entries(meta.filters).map(([name, value]) => `${name} ${value}`);
  return [
    `${kind}Source: ${venues}; ${how}; ${window}. Record of the map: ${record}.${filters.length ? ` FILTERED: ${filters.join(", ")}.` : ""}`,
    Object.values(meta.caveat_texts).join(" "),
    `liqscape ${meta.model?.version ?? ""}  inputs ${meta.inputs_hash?.slice(0, 16) ?? "–"}  ${reproduce ?? ""}`,
  ];
}

/** What the picture says to who does not see it; it is stored inside the file. */
export function altText({ meta, data }: Answer<MapData>): string {
  const within = percent(data.ladder.within, 1);
  const pool = (name: "short" | "long"): string => {
    const rows = data.ladder[name];
    return usdInterval(rows[rows.length - 1]?.sum_out_usd);
  };
  return [
    `Candles over a heatmap of where forced orders would sit, beside a ladder of dollars by price, ${meta.instrument ?? ""}`,
    `mark ${priceText(meta.mark_price)} at ${instant(meta.as_of)}. ${data.headline}`,
    `Within ${within}: shorts above ${pool("short")}, longs below ${pool("long")}, 80 % intervals.`,
    Object.values(meta.caveat_texts).join(" "),
  ]
    .join(", ")
    .replace("., ", ". ")
    .replaceAll("., ", ". ");
}

/** Draw the picture and save it as a file; says so, or why not. */
export async function savePicture(store: Store, shape: Shape): Promise<void> {
  const made = drawPicture(store, shape);
  if (!made) {
    store.said = "There is no chart to make a picture of yet.";
    return;
  }
  const drawn = await new Promise<Blob | null>((resolve) => made.toBlob(resolve, "image/png"));
  if (!drawn) return;
  const texts = {
    Title: "Liquidation landscape",
    Description: altText(store.map.answer!),
    Source: permalinkOf(store, location.origin),
    Software: "liqscape",
  };
  save(
    new Blob([withTexts(new Uint8Array(await drawn.arrayBuffer()), texts)], { type: "image/png" }),
    `${fileName(store)}-${shape === "wide" ? "1600x900" : "1080x1350"}.png`,
  );
  store.said = "The picture is saved; its caveats are inside.";
}

export function drawPicture(store: Store, shape: Shape): HTMLCanvasElement | null {
  const answer = store.map.answer;
  if (!answer || !store.plotPicture) return null;
  const canvas = document.createElement("canvas");
  const ctx = canvas.getContext("2d")!;
  const style = getComputedStyle(document.documentElement);
  const ink = (name: string): string => style.getPropertyValue(name).trim();
  const font = (size: number, weight = 400): string => `${weight} ${size}px ${ink("--font") || "system-ui"}`;
  const inner = (shape === "wide" ? 1600 : 1080) - 56;
  ctx.font = font(15);
  const measure = (text: string): number => ctx.measureText(text).width;
  // Modules of whole pixels, with the margin that readers need; low correction, for nothing lies over it.
  const code = encode(permalinkOf(store, location.origin), { ecc: "L", border: 4 });
  const codeSize = code.size * MODULE;
  const notes = captions(answer.meta, answer.links.reproduce).map((text) => wrap(text, inner - codeSize - 20, measure));
  const layout = layoutOf(shape, Math.max(notes.flat().length * 20 + 16 + notes.length * 4, codeSize + 36));
  canvas.width = layout.width;
  canvas.height = layout.height;
  ctx.fillStyle = ink("--panel");
  ctx.fillRect(0, 0, layout.width, layout.height);
  ctx.textBaseline = "alphabetic";
  head(ctx, store, layout, ink, font);
  store.plotPicture(ctx, layout);
  let y = layout.plot.y + layout.plot.height + 28;
  ctx.font = font(15);
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  for (const lines of notes) {
    ctx.fillStyle = lines === notes[1] ? ink("--text") : ink("--quiet");
    for (const text of lines) {
      ctx.fillText(text, layout.margin, y);
      y += 20;
    }
    y += 4;
  }
  drawCode(ctx, code, layout.width - layout.margin - codeSize, layout.plot.y + layout.plot.height + 14);
  ctx.fillStyle = ink("--quiet");
  ctx.font = font(12);
  ctx.textAlign = "right";
  ctx.fillText("this view", layout.width - layout.margin, layout.plot.y + layout.plot.height + 14 + codeSize + 15);
  return canvas;
}

/** Dark on white in both themes: readers expect it. */
function drawCode(
  ctx: CanvasRenderingContext2D,
  code: { size: number; data: boolean[][] },
  x: number,
  y: number,
): void {
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(x, y, code.size * MODULE, code.size * MODULE);
  ctx.fillStyle = "#000000";
  code.data.forEach((row, j) =>
    row.forEach((dark, i) => dark && ctx.fillRect(x + i * MODULE, y + j * MODULE, MODULE, MODULE)),
  );
}

function head(
  ctx: CanvasRenderingContext2D,
  store: Store,
  layout: Layout,
  ink: (name: string) => string,
  font: (size: number, weight?: number) => string,
): void {
  const { meta, data } = store.map.answer!;
  ctx.textAlign = "left";
  ctx.fillStyle = ink("--text");
  ctx.font = font(26, 600);
  const title = `${store.instrument ?? ""}  ${priceText(meta.mark_price)}`;
  ctx.fillText(title, layout.margin, 46);
  const after = layout.margin + ctx.measureText(title).width + 16;
  ctx.font = font(17);
  ctx.fillStyle = ink("--quiet");
  ctx.fillText(`mark, ${instant(meta.as_of)}`, after, 46);
  ctx.fillStyle = ink("--text");
  ctx.font = font(19);
  const lines = wrap(data.headline, layout.width - 2 * layout.margin, (text) => ctx.measureText(text).width);
  lines.slice(0, 3).forEach((text, k) => ctx.fillText(text, layout.margin, 78 + k * 25));
  const scale = store.scale;
  if (scale) classes(ctx, store, scale, layout, ink, font);
}

function classes(
  ctx: CanvasRenderingContext2D,
  store: Store,
  scale: Scale,
  layout: Layout,
  ink: (name: string) => string,
  font: (size: number, weight?: number) => string,
): void {
  const box = 46;
  const y = layout.plot.y - 22;
  const right = layout.width - layout.margin;
  const limits = edges(scale);
  ctx.font = font(13);
  const text = store.view.shapeOnly
    ? "SHAPE ONLY"
    : `colour: $${dollarWord(limits[0]!)} to $${dollarWord(limits[7]!)} per 0.1 % of price; solid bars data, hatched assumption`;
  ctx.fillStyle = ink("--quiet");
  ctx.textAlign = "left";
  ctx.fillText(text, layout.margin + 7 * box + 12, y + 11);
  PALETTES[store.view.palette].forEach((colour, k) => {
    ctx.fillStyle = colour;
    ctx.fillRect(layout.margin + k * box, y, box, 12);
  });
  ctx.textAlign = "right";
  ctx.fillStyle = ink("--text");
  ctx.font = font(18, 600);
  ctx.fillText("liqscape", right, 46);
  const wide = ctx.measureText("liqscape").width;
  const { word, rest } = badgeLine(store.map.answer!.meta.accuracy ?? null);
  ctx.font = font(14, 600);
  ctx.fillStyle = ink("--quiet");
  ctx.fillText(`map ${word}${rest ? `: ${rest}` : ""}`, right - wide - 16, 46);
}

/** Levels of the map on screen as CSV: the view's own address with an ending, so that both say the same. */
export async function exportCsv(store: Store): Promise<void> {
  const { answer } = store.map;
  const { instrument } = store;
  if (!answer || instrument === null) return;
  const words = { ...wordsOf(store.view, "map"), as_of: answer.meta.as_of };
  const got = await bytesAt(dataAddress(instrument, "csv", words));
  if (got.ok) save(new Blob([got.value], { type: "text/csv" }), `${fileName(store)}-levels.csv`);
  store.said = got.ok
    ? "The levels are saved as CSV."
    : "failure" in got
      ? `The levels were not saved: ${got.failure.message}.`
      : "The levels were not saved.";
}

function fileName(store: Store): string {
  const at = (store.map.answer?.meta.as_of ?? "").slice(0, 16).replace(":", "");
  return `liqscape-${(store.instrument ?? "market").replaceAll(":", "-")}-${at}Z`;
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
