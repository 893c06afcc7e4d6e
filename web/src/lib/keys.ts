// Keys of the page: one table that acts and that the help dialog prints.

import { LAYERS, PALETTE_NAMES, WINDOWS, type Layer } from "./address";
import { permalinkOf } from "./permalink";
import { exportCsv, savePicture } from "./pictures";
import type { Store } from "./state.svelte";
import { DAY, isoOf, stepped } from "./time";

export interface Key {
  /** As `event.key` has it. */
  keys: readonly string[];
  shown: string;
  help: string;
  run(store: Store, event: KeyboardEvent): void;
}

function toggle(layer: Layer): (store: Store) => void {
  return (store) => {
    const { hidden } = store.view;
    store.go({ hidden: LAYERS.filter((each) => (each === layer) !== hidden.includes(each)) });
  };
}

/** Move to the control or panel that is marked with `data-key`, or has that name. */
function focus(name: string): () => void {
  return () => {
    const found = document.querySelector<HTMLElement>(`[data-key="${name}"], #${name}`);
    found?.scrollIntoView({ block: "nearest" });
    found?.focus();
  };
}

/** Step the shown instant: `days` of them, or columns of the chart. */
export function step(store: Store, direction: 1 | -1, days: boolean): void {
  // While the end of the record is not known yet, an instant of the past is no end: a step on from it must not land at now.
  const end = store.recordEnd ?? (store.view.asOf === null ? Date.parse(store.now.answer?.meta.as_of ?? "") : Infinity);
  if (Number.isNaN(end)) return;
  const column = (store.heat.data?.interval_s ?? 300) * 1000;
  const shown = store.view.asOf === null ? end : Date.parse(store.view.asOf);
  const range = { from: store.recordStart ?? -Infinity, to: end };
  const next = stepped(shown, direction * (days ? DAY : column), column, range);
  store.scrub(next === null ? null : isoOf(next));
}

export async function copyLink(store: Store): Promise<void> {
  // A link to now means another thing tomorrow: the instant goes into it.
  const at = store.view.asOf ?? store.now.answer?.meta.as_of ?? null;
  try {
    await navigator.clipboard.writeText(permalinkOf(store, location.origin));
    store.said = "The link is copied. It opens this view at this instant.";
  } catch {
    store.go({ asOf: at });
    store.said = "The link is in the address bar: this browser does not let a page copy.";
  }
}

export const KEYS: readonly Key[] = [
  {
    keys: ["?"],
    shown: "?",
    help: "this help",
    run: (s) => s.go({ drawer: s.view.drawer === "help" ? null : "help" }),
  },
  { keys: ["/"], shown: "/", help: "choose an instrument", run: focus("instrument") },
  {
    keys: ["1", "2", "3", "4", "5"],
    shown: "1 … 5",
    help: "window of the ratio: 1, 2, 5, 10, 20 %",
    run: (s, event) => s.go({ within: WINDOWS[Number(event.key) - 1]! }),
  },
  { keys: ["h"], shown: "h", help: "heatmap on or off", run: toggle("heat") },
  { keys: ["l"], shown: "l", help: "ladder on or off", run: toggle("ladder") },
  { keys: ["d"], shown: "d", help: "depth of the book on the ladder", run: toggle("depth") },
  { keys: ["p"], shown: "p", help: "assumption (hatched) on chart and ladder", run: toggle("prior") },
  { keys: ["r"], shown: "r", help: "published liquidations as dots", run: toggle("realised") },
  { keys: ["m"], shown: "m", help: "mirror of the crosshair", run: toggle("mirror") },
  {
    keys: ["k"],
    shown: "k",
    help: "next colours",
    run: (s) => s.go({ palette: PALETTE_NAMES[(PALETTE_NAMES.indexOf(s.view.palette) + 1) % PALETTE_NAMES.length]! }),
  },
  { keys: ["b"], shown: "b", help: "budgets of the moves", run: focus("budget") },
  { keys: ["x"], shown: "x", help: "shock of the cascade", run: focus("shock") },
  { keys: ["w"], shown: "w", help: "watch points", run: focus("watch") },
  {
    keys: ["a"],
    shown: "a",
    help: "how right the map has been",
    run: (s) => s.go({ drawer: s.view.drawer === "accuracy" ? null : "accuracy" }),
  },
  { keys: ["c"], shown: "c", help: "conditions", run: focus("conditions") },
  {
    keys: ["[", "{"],
    shown: "[  shift [",
    help: "one column back, one day back",
    run: (s, event) => step(s, -1, event.key === "{"),
  },
  {
    keys: ["]", "}"],
    shown: "]  shift ]",
    help: "one column on, one day on",
    run: (s, event) => step(s, 1, event.key === "}"),
  },
  { keys: [" "], shown: "space", help: "play or pause", run: (s) => s.play(!s.playing) },
  { keys: ["g"], shown: "g", help: "go to an instant", run: focus("goto") },
  {
    keys: ["n"],
    shown: "n",
    help: "back to now",
    run: (s) => {
      s.play(false);
      s.scrub(null, true);
    },
  },
  { keys: ["v"], shown: "v", help: "show what came after, or hide it", run: (s) => s.reveal(!s.revealed) },
  { keys: ["0"], shown: "0", help: "everything in view", run: (s) => s.refit?.() },
  {
    keys: ["t"],
    shown: "t",
    help: "the map as a table",
    run: (s) => s.go({ drawer: s.view.drawer === "table" ? null : "table" }),
  },
  {
    keys: ["i", "I"],
    shown: "i  shift i",
    help: "save a picture 1600 x 900, or 1080 x 1350",
    run: (s, event) => void savePicture(s, event.key === "I" ? "tall" : "wide"),
  },
  { keys: ["y"], shown: "y", help: "copy a link to this view at this instant", run: (s) => void copyLink(s) },
  { keys: ["e"], shown: "e", help: "export the map's levels as CSV", run: (s) => void exportCsv(s) },
  {
    keys: ["Escape"],
    shown: "esc",
    help: "close, unpin",
    run: (s) => {
      if (s.fact) s.fact = null;
      else if (s.view.drawer) s.go({ drawer: null });
      else if (s.view.pin !== null) s.go({ pin: null });
    },
  },
];

/** Whether a key belongs to the control that has the focus. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const at = event.target instanceof HTMLElement ? event.target : null;
  if (!at) return false;
  // A slider takes arrows and a tick takes space; letters typed on them are still ours.
  if (at instanceof HTMLInputElement && /^(range|checkbox)$/.test(at.type)) return event.key === " ";
  if (at.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName)) return event.key !== "Escape";
  // Space and Enter press the button that has the focus; arrows move its slider.
  return event.key === " " && /^(BUTTON|SUMMARY|A)$/.test(at.tagName);
}

/** Act on a key; true if it was one of ours. */
export function press(store: Store, event: KeyboardEvent): boolean {
  if (isTyping(event)) return false;
  const found = KEYS.find((each) => each.keys.includes(event.key));
  if (!found) return false;
  event.preventDefault();
  found.run(store, event);
  return true;
}
