// The address is the view: what is looked at, from when, filtered how. Reading an address and writing it again gives the same
// text, defaults left out; a word that makes no sense is dropped, so that an old link still opens something.

import type { Words } from "./api";
import type { ResourceName } from "./wire";
import type { Palette } from "./heat/scale";

export type Side = "both" | "long" | "short";
export type Look = "12h" | "1d" | "7d" | "30d" | "90d" | "1y";
export type Layer = "heat" | "ladder" | "depth" | "prior" | "realised" | "mirror";
export type Drawer = "accuracy" | "conditions" | "episodes" | "help" | "table";
export type Tab = "ladder" | "heat" | "cascade" | "watch" | "more";

export const SIDES: readonly Side[] = ["both", "long", "short"];
export const LOOKS: readonly Look[] = ["12h", "1d", "7d", "30d", "90d", "1y"];
export const LAYERS: readonly Layer[] = ["heat", "ladder", "depth", "prior", "realised", "mirror"];
export const PALETTE_NAMES: readonly Palette[] = ["cividis", "inferno", "grey"];
const DRAWERS: readonly Drawer[] = ["accuracy", "conditions", "episodes", "help", "table"];
const TABS: readonly Tab[] = ["ladder", "heat", "cascade", "watch", "more"];

export interface View {
  /** First part of the path, such as `BTC` or `binance:BTCUSDT`; null is "/", which shows the first there is. */
  instrument: string | null;
  /** ISO instant; null is now, live. */
  asOf: string | null;
  /** The window of distances that is read as a ratio, fraction of the mark. */
  within: number;
  venues: readonly string[];
  side: Side;
  /** Such as `10-50`; null is all. */
  leverage: string | null;
  minUsd: string | null;
  reading: "published" | "true";
  /** How much time the chart shows. */
  look: Look;
  /** Dollars per 0.1 % of the first and last edge of the colours; null is as the server chose. */
  scale: readonly [number, number] | null;
  /** Colours by the view's own largest cell: no dollars can be read off. */
  shapeOnly: boolean;
  palette: Palette;
  logPrice: boolean;
  hidden: readonly Layer[];
  /** Dollars of outside flow in the cascade; null is 1 % of push as the server has it. */
  shock: number | null;
  preset: string;
  /** Budgets of the moves, USD; empty is as the server chose. */
  usd: readonly number[];
  /** Another instant beside `asOf`, ISO or a length of time before it such as `1d`. */
  compare: string | null;
  /** A price that a click pinned. */
  pin: number | null;
  /** A stretch of prices whose pool is shown beside that of its mirror. */
  range: readonly [number, number] | null;
  drawer: Drawer | null;
  tab: Tab;
  /** `1` shows frame times; only for measuring. */
  bench: boolean;
}

export const DEFAULTS: View = {
  instrument: null,
  asOf: null,
  within: 0.02,
  venues: [],
  side: "both",
  leverage: null,
  minUsd: null,
  reading: "published",
  look: "30d",
  scale: null,
  shapeOnly: false,
  palette: "cividis",
  logPrice: false,
  hidden: [],
  shock: null,
  preset: "now",
  usd: [],
  compare: null,
  pin: null,
  range: null,
  drawer: null,
  tab: "ladder",
  bench: false,
};

const INSTRUMENT = /^(?!\.+$)[A-Za-z0-9_\-.:]{1,48}$/;

/** Read a view from a path and a query. */
export function parseView(path: string, query: string): View {
  const words = new URLSearchParams(query);
  const first = decodeURIComponent(path.split("/")[1] ?? "");
  const view: View = { ...DEFAULTS, instrument: INSTRUMENT.test(first) ? first : null };
  view.asOf = instantOf(words.get("as_of"));
  view.within = fractionOf(words.get("within")) ?? DEFAULTS.within;
  view.venues = (words.get("venue") ?? "").split(",").filter((name) => /^[a-z0-9_-]{1,24}$/.test(name));
  view.side = oneOf(words.get("side"), SIDES) ?? DEFAULTS.side;
  view.leverage = matching(words.get("leverage"), /^\d{1,3}(\.\d+)?(-\d{1,3}(\.\d+)?)?$/);
  view.minUsd = matching(words.get("min_usd"), /^\d+(\.\d+)?[KMBkmb]?$/);
  view.reading = words.get("reading") === "true" ? "true" : "published";
  view.look = oneOf(words.get("look"), LOOKS) ?? DEFAULTS.look;
  view.scale = scaleOf(words.get("scale"));
  view.shapeOnly = words.get("scale") === "shape";
  view.palette = oneOf(words.get("palette"), PALETTE_NAMES) ?? DEFAULTS.palette;
  view.logPrice = words.get("axis") === "log";
  view.hidden = LAYERS.filter((name) => (words.get("hide") ?? "").split(",").includes(name));
  view.shock = dollarsOf(words.get("shock"));
  view.preset = matching(words.get("preset"), /^[a-z0-9-]{1,24}$/) ?? DEFAULTS.preset;
  view.usd = (words.get("usd") ?? "")
    .split(",")
    .map(dollarsOf)
    .filter((value): value is number => value !== null)
    .slice(0, 12);
  view.compare = instantOf(words.get("compare")) ?? matching(words.get("compare"), /^\d+[mhdw]$/);
  view.pin = numberOf(words.get("pin"));
  view.range = rangeOf(words.get("range"));
  view.drawer = oneOf(words.get("open"), DRAWERS);
  view.tab = oneOf(words.get("tab"), TABS) ?? DEFAULTS.tab;
  view.bench = words.get("bench") === "1";
  return view;
}

/** Write a view as path and query; what is as by default is left out. */
export function formatView(view: View): string {
  const words: [string, string][] = [];
  const add = (name: string, value: string | null | undefined | false): void => {
    if (value) words.push([name, value]);
  };
  add("as_of", view.asOf);
  add("within", view.within !== DEFAULTS.within && percentWord(view.within));
  add("venue", view.venues.join(","));
  add("side", view.side !== "both" && view.side);
  add("leverage", view.leverage);
  add("min_usd", view.minUsd);
  add("reading", view.reading !== "published" && view.reading);
  add("look", view.look !== DEFAULTS.look && view.look);
  add("scale", view.shapeOnly ? "shape" : view.scale && `${dollarWord(view.scale[0])}-${dollarWord(view.scale[1])}`);
  add("palette", view.palette !== DEFAULTS.palette && view.palette);
  add("axis", view.logPrice && "log");
  add("hide", view.hidden.join(","));
  add("shock", view.shock !== null && dollarWord(view.shock));
  add("preset", view.preset !== DEFAULTS.preset && view.preset);
  add("usd", view.usd.map(dollarWord).join(","));
  add("compare", view.compare);
  add("pin", view.pin !== null && String(view.pin));
  add("range", view.range?.join("-"));
  add("open", view.drawer);
  add("tab", view.tab !== DEFAULTS.tab && view.tab);
  add("bench", view.bench && "1");
  const query = words
    .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3A", ":")}`)
    .join("&");
  return `/${view.instrument ?? ""}${query ? `?${query}` : ""}`;
}

/** The words of a request: each route knows its own and refuses others. */
export function wordsOf(view: View, resource: ResourceName): Words {
  const where: Words = { as_of: view.asOf, venue: view.venues.length ? view.venues.join(",") : null };
  const built: Words = { ...where, reading: view.reading === "true" ? "true" : null };
  const filtered: Words = { ...built, leverage: view.leverage, min_usd: view.minUsd };
  switch (resource) {
    case "now":
      return built;
    case "map":
      return { ...filtered, side: view.side === "both" ? null : view.side };
    case "asymmetry":
      return { ...filtered, within: windowsWith(view.within), range: view.range?.join("-") ?? null };
    case "move-to":
      return { ...filtered, usd: view.usd.length ? view.usd.map(dollarWord).join(",") : null };
    case "zones":
      return filtered;
    case "cascade":
      return {
        ...built,
        shock: view.shock === null ? null : dollarWord(view.shock),
        preset: view.preset === "now" ? null : view.preset,
      };
    case "heat":
      return { ...built, ...lookWords(view.look) };
    case "episodes":
      return where;
    case "accuracy":
      return {};
  }
}

/** Whether the numbers are those that the live topics carry: newest, all venues, nothing filtered. */
export function isPlain(view: View): boolean {
  return view.asOf === null && view.venues.length === 0 && view.reading === "published" && !isFiltered(view);
}

export function isFiltered(view: View): boolean {
  return view.side !== "both" || view.leverage !== null || view.minUsd !== null;
}

/** The windows that are always shown, and the one that is dragged. */
export const WINDOWS: readonly number[] = [0.01, 0.02, 0.05, 0.1, 0.2];

function windowsWith(within: number): string {
  const every = WINDOWS.includes(within) ? WINDOWS : [...WINDOWS, within].sort((a, b) => a - b);
  return every.map(percentWord).join(",");
}

/** The words of published forced orders: the largest intervals of what the chart shows. */
export function printWords(view: View): Words {
  return {
    as_of: view.asOf,
    venue: view.venues.length ? view.venues.join(",") : null,
    window: view.look === "1y" ? "365d" : view.look,
    side: view.side === "both" ? null : view.side,
    top: 240,
  };
}

/** Longer looks have wider columns: no screen shows more than some thousands of them. The usual one is left to the server. */
function lookWords(look: Look): Words {
  const interval = look === "1y" ? "1h" : look === "90d" ? "15m" : null;
  return { window: look === DEFAULTS.look ? null : look === "1y" ? "365d" : look, interval };
}

/** `2%`, `0.5%`: at most two decimals of a per cent. */
export function percentWord(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))}%`;
}

/** `250M`, `1.5B`, `999`. */
export function dollarWord(usd: number): string {
  for (const [scale, letter] of [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "K"],
  ] as const) {
    if (usd >= scale) return `${Number((usd / scale).toPrecision(6))}${letter}`;
  }
  return String(Math.round(usd));
}

/** Dollars of a word; null if it is none. */
export function dollarsOf(text: string | null): number | null {
  const found = /^(\d+(?:\.\d+)?)([KMBkmb]?)$/.exec(text?.trim() ?? "");
  if (!found) return null;
  const scale = { "": 1, K: 1e3, M: 1e6, B: 1e9 }[found[2]!.toUpperCase()] ?? 1;
  const value = Number(found[1]) * scale;
  return value > 0 ? value : null;
}

function fractionOf(text: string | null): number | null {
  const found = /^(\d+(?:\.\d+)?)%$/.exec(text ?? "");
  const value = found ? Number(found[1]) / 100 : NaN;
  return value > 0 && value <= 0.5 ? Number(value.toFixed(6)) : null;
}

function scaleOf(text: string | null): readonly [number, number] | null {
  const [floor, ceiling] = (text ?? "").split("-").map(dollarsOf);
  return floor && ceiling && ceiling > floor ? [floor, ceiling] : null;
}

function rangeOf(text: string | null): readonly [number, number] | null {
  const [from, to] = (text ?? "").split("-").map(numberOf);
  return from && to && from !== to ? [Math.min(from, to), Math.max(from, to)] : null;
}

function instantOf(text: string | null): string | null {
  return text && /^\d{4}-\d{2}-\d{2}/.test(text) && Number.isFinite(Date.parse(text)) ? text : null;
}

function numberOf(text: string | null): number | null {
  const value = text === null || text === "" ? NaN : Number(text);
  return Number.isFinite(value) && value > 0 ? value : null;
}

function matching(text: string | null, pattern: RegExp): string | null {
  return text !== null && pattern.test(text) ? text : null;
}

function oneOf<T extends string>(text: string | null, allowed: readonly T[]): T | null {
  return allowed.find((each) => each === text) ?? null;
}
