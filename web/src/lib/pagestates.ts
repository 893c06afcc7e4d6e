// What the whole page has to say about itself (not about the market): each state is found in what the server answered or failed
// to answer, none can be switched on.

import type { Failure } from "./api";
import type { Live } from "./stream";
import { age, instant } from "./format";
import { venueName, venueOf } from "./said";
import type { HealthData, InstrumentsData, Meta } from "./wire";

export type Tone = "info" | "warn" | "bad";

export interface PageState {
  /** Such as `no-data`; stable, for tests and styles. */
  code: string;
  tone: Tone;
  title: string;
  text: string;
  /** Lines to type. */
  commands?: readonly string[];
  /** When it is asked again by itself, ms since 1970. */
  retryAt?: number | null;
  /** A way out that the page itself can go. */
  action?:
    { label: string; asOf: string | null } | { label: string; instrument: string } | { label: string; retry: true };
}

export interface Seen {
  clock: number;
  asOf: string | null;
  instrument: string | null;
  meta: Meta | null;
  /** When `meta` was received, ms. */
  metaAt: number | null;
  priorHeavyWindows: number;
  windows: number;
  failure: Failure | null;
  retryAt: number | null;
  live: Live;
  liveRetryAt: number | null;
  heardAt: number | null;
  health: HealthData | null;
  healthAt: number | null;
  healthFailure: Failure | null;
  healthRetryAt: number | null;
  instruments: InstrumentsData | null;
}

const CLOCK_OFF_S = 2;
const STALE_S = 60;

export function pageStates(seen: Seen): PageState[] {
  // Without a server nothing else can be said that is true now.
  if (isLost(seen)) return [simulated(seen), serverLost(seen)].filter((each) => each !== null);
  const found: (PageState | null)[] = [
    simulated(seen),
    failed(seen),
    clockOff(seen),
    ...recorders(seen),
    off(seen),
    allStale(seen),
    ...someStale(seen),
    gap(seen),
    priorHeavy(seen),
  ];
  return found.filter((each): each is PageState => each !== null);
}

function simulated({ meta, health }: Seen): PageState | null {
  if (!meta?.simulated && !health?.demo) return null;
  return {
    code: "simulated",
    tone: "info",
    title: "SIMULATED market",
    text: "Nothing here is real: prices, positions and liquidations come from the simulator that ships with liqscape.",
  };
}

/** Whether nobody answers: neither the stream nor a question. */
export function isLost(seen: Pick<Seen, "live" | "healthFailure">): boolean {
  return seen.live === "lost" || seen.healthFailure?.status === 0;
}

function serverLost(seen: Seen): PageState | null {
  if (!isLost(seen)) return null;
  const last = seen.heardAt ?? seen.healthAt;
  const since = last === null ? "" : ` It was last heard ${age((seen.clock - last) / 1000)} ago.`;
  const numbers = seen.meta ? ` Numbers on screen are as of ${instant(seen.meta.as_of)} and do not move.` : "";
  return {
    code: "server-lost",
    tone: "bad",
    title: "The server does not answer.",
    text: `${since}${numbers} Start it again with the command below; this page goes on by itself.`.trim(),
    commands: ["liqscape serve"],
    retryAt: seen.live === "lost" ? seen.liveRetryAt : seen.healthRetryAt,
    action: { label: "try now", retry: true },
  };
}

function failed(seen: Seen): PageState | null {
  const { failure, instruments } = seen;
  if (!failure || failure.status === 0) return null;
  switch (failure.code) {
    case "WARMING_UP":
      return {
        code: "warming-up",
        tone: "info",
        title: "Warming up.",
        text: sentence(failure),
        retryAt: seen.retryAt,
      };
    case "UNKNOWN_INSTRUMENT":
      return unknownInstrument(seen, failure);
    case "OUT_OF_RECORD":
      return beforeRecord(seen, failure);
    case "NO_DATA":
      return instruments && instruments.instruments.length > 0
        ? missing(seen, failure)
        : { ...NO_DATA, text: NO_DATA.text, retryAt: seen.retryAt };
    case "STALE_INPUT":
    case "UPSTREAM":
    case "RATE_LIMIT":
      return upstream(seen, failure);
    default:
      return failure.status >= 500 || failure.status === 429 ? upstream(seen, failure) : missing(seen, failure);
  }
}

/** What can be done about an empty store; also shown when the list of instruments is empty. */
export const NO_DATA: PageState = {
  code: "no-data",
  tone: "info",
  title: "Nothing is stored yet.",
  text: "Three ways on: a simulated market without any network, 30 days of public history, or files that you have.",
  commands: ["liqscape serve --demo", "liqscape backfill BTC --days 30", "liqscape import FOLDER"],
};

function unknownInstrument(seen: Seen, failure: Failure): PageState {
  const stored = seen.instruments?.bases ?? [];
  if (stored.length === 0 && (seen.instruments?.instruments.length ?? 0) === 0) return NO_DATA;
  const first = stored[0];
  const state: PageState = {
    code: "unknown-instrument",
    tone: "warn",
    title: failure.message,
    text: failure.hint ?? "",
  };
  return first ? { ...state, action: { label: `open ${first}`, instrument: first } } : state;
}

function beforeRecord(seen: Seen, failure: Failure): PageState {
  const first = nsInstant(failure.context.first_ns);
  const last = nsInstant(failure.context.last_ns);
  const before = first !== null && seen.asOf !== null && Date.parse(seen.asOf) < Date.parse(first);
  const span =
    first && last ? `The record of this market reaches from ${instant(first)} to ${instant(last)}.` : failure.message;
  const text = before
    ? `${span} An earlier map can be rebuilt once its history is stored.`
    : `${span} ${failure.hint ?? ""}`.trim();
  const base = (seen.instrument ?? "BTC").split(":").pop() ?? "BTC";
  const days = before && seen.asOf ? Math.ceil((Date.now() - Date.parse(seen.asOf)) / 86_400_000) + 60 : 90;
  const state: PageState = {
    code: "out-of-record",
    tone: "warn",
    title: before ? "That is before the record." : "That is outside the record.",
    text,
    commands: [`liqscape backfill ${base} --days ${days}`],
  };
  return last ? { ...state, action: { label: "show the newest stored map", asOf: null } } : state;
}

function upstream(seen: Seen, failure: Failure): PageState {
  return {
    code: failure.status === 429 ? "rate-limit" : "upstream",
    tone: "bad",
    title: `${failure.code}: ${failure.message}`,
    text: failure.hint ?? "",
    retryAt: seen.retryAt,
    action: { label: "try now", retry: true },
  };
}

function missing(seen: Seen, failure: Failure): PageState {
  return {
    code: "refused",
    tone: "warn",
    title: failure.message,
    text: failure.hint ?? "",
    retryAt: seen.retryAt,
  };
}

/** Seconds by which this machine's clock is ahead of the server's; null while that is not known. */
export function clockOffS(health: HealthData | null, at: number | null): number | null {
  if (!health || at === null) return null;
  const told = Date.parse(`${health.now.slice(0, 23).replace("Z", "")}Z`);
  return Number.isFinite(told) ? (at - told) / 1000 : null;
}

function clockOff(seen: Seen): PageState | null {
  const offS = clockOffS(seen.health, seen.healthAt);
  if (offS === null || Math.abs(offS) <= CLOCK_OFF_S) return null;
  return {
    code: "clock-off",
    tone: "warn",
    title: `Clocks differ by ${age(Math.abs(offS))}.`,
    text: `This machine is ${offS > 0 ? "ahead of" : "behind"} the server: ages on this page are wrong by as much.`,
  };
}

/** A recorder that died, or that has something to say; one that was stopped on purpose is no news. */
function recorders({ health, asOf }: Seen): PageState[] {
  if (asOf !== null) return [];
  return (health?.recorders ?? []).flatMap((each): PageState[] => {
    if (!each.alive && !each.stopped) {
      const title = `The recorder ${each.writer} ended without being stopped, ${age(each.age_s)} ago.`;
      return [{ code: "recorder-dead", tone: "bad", title, text: "Nothing new is stored until one records again." }];
    }
    const down = Object.entries(each.venues).filter(([, state]) => state === "down");
    if (!each.alive || (down.length === 0 && each.alarms.length === 0)) return [];
    const title = down.length
      ? `No answer from ${down.map(([venue]) => venueName(venue)).join(", ")}.`
      : "The recorder reports:";
    return [
      { code: "upstream-venue", tone: "warn", title, text: each.alarms.join("; ") || "It is tried again by itself." },
    ];
  });
}

function off({ meta }: Seen): PageState | null {
  const record = meta?.accuracy;
  if (record?.state !== "off") return null;
  return {
    code: "accuracy-off",
    tone: "bad",
    title: "This map is OFF: it did not hold out of sample.",
    text: `${record.reasons.join("; ")}. The map stays to be looked at; there is no headline and no alert.`,
  };
}

/** Whether every instrument's bars are late; only asked about now. */
export function isAllStale(seen: Pick<Seen, "asOf" | "meta" | "metaAt" | "clock">): boolean {
  const { meta } = seen;
  if (seen.asOf !== null || !meta?.coverage || meta.coverage.parts.length === 0) return false;
  const late = new Set(meta.stale.filter((each) => each.input === "bars").map((each) => each.instrument));
  const grown = seen.metaAt === null ? 0 : (seen.clock - seen.metaAt) / 1000;
  return (meta.age_s ?? 0) + grown > STALE_S && meta.coverage.parts.every((part) => late.has(part.instrument));
}

function allStale(seen: Seen): PageState | null {
  if (!isAllStale(seen) || !seen.meta) return null;
  return {
    code: "all-stale",
    tone: "warn",
    title: `Everything here is old: the newest input is from ${instant(seen.meta.as_of)}.`,
    text: `That is ${age(seen.meta.age_s)} ago, so the page is grey. Record live venues, or look at that time as it was.`,
    commands: [`liqscape record ${seen.instrument ?? "BTC"}`],
    action: { label: `look at ${instant(seen.meta.as_of)}`, asOf: seen.meta.as_of },
  };
}

function someStale(seen: Seen): PageState[] {
  const { meta } = seen;
  if (!meta || isAllStale(seen)) return [];
  return meta.stale.map((each) => {
    const what = `${venueName(venueOf(each.instrument))} ${each.instrument.split(":").slice(1).join(":")}`.trim();
    const input = each.input.replace("_", " ");
    const old = each.age_s === null ? "" : ` is ${age(each.age_s)} old`;
    return {
      code: each.left_out ? "left-out" : "stale",
      tone: "warn",
      title: each.left_out ? `Without ${what}.` : `${what}: ${input}${old}.`,
      text:
        each.reason ??
        (each.left_out ? "It is not in the map." : "Older than it should be; what is shown uses it all the same."),
    };
  });
}

function gap({ meta }: Seen): PageState | null {
  const bars = meta?.window;
  if (!bars || bars.missing_bars === 0) return null;
  const all = bars.bars + bars.missing_bars;
  return {
    code: "gap",
    tone: "info",
    title: `${bars.missing_bars} of ${all} bars are missing.`,
    text: "Missing stretches are hatched on the chart and nothing was filled in between.",
  };
}

function priorHeavy(seen: Seen): PageState | null {
  if (seen.windows === 0 || seen.priorHeavyWindows < seen.windows) return null;
  return {
    code: "prior-heavy",
    tone: "warn",
    title: "More than half of every number here is assumption.",
    text: "No ratio is shown until more liquidations of this market are known.",
  };
}

function sentence(failure: Failure): string {
  return [failure.message, failure.hint].filter(Boolean).join(". ");
}

function nsInstant(value: unknown): string | null {
  return typeof value === "number" ? new Date(value / 1e6).toISOString() : null;
}
