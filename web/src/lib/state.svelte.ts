// The one store of the page: the view (which is the address), the answers, the live stream, the clock. Panels read it and change
// the view through `go`; they ask nothing themselves.

import { keepToken, type Words } from "./api";
import { formatView, isPlain, LOOKS, parseView, percentWord, printWords, wordsOf, type View } from "./address";
import { Axis } from "./axis.svelte";
import type { Frame } from "./frame";
import type { Scale } from "./heat/scale";
import type { Layout } from "./pictures";
import { Resource } from "./resource.svelte";
import { Stream, type Live } from "./stream";
import { isoOf } from "./time";
import { addressOf, type Kind } from "./facts";
import { factOfRung, type Rung } from "./ladder";
import type {
  Answer,
  Answers,
  Estimate,
  LadderRow,
  Links,
  LiquidationsData,
  Machine,
  Meta,
  ResourceName,
  StreamMessage,
} from "./wire";

/** A number that was opened: what Provenance shows. */
export interface Fact {
  /** What it is, such as "short pool within 2 %". */
  title: string;
  /** As it was shown. */
  shown: string;
  unit: string;
  estimate: Estimate | null;
  /** In words or as a formula. */
  formula: string;
  /** How it is known; modelled if nothing is said. */
  kind?: Kind;
  meta: Meta;
  links: Links;
  /** Address of the answer that held it, for the curl line; path and query. */
  api: string;
}

/** Where the pointer (or the keyboard's cross) is. `at` is ms since 1970; null beside the chart. */
export interface Cursor {
  price: number;
  at: number | null;
  by: "chart" | "ladder" | "keys";
}

const LIVE_REFETCH_MS = 5_000;
/** How much of the record a replay asks for at once. */
const REPLAY_MS = 2 * 86_400_000;
const AFTER_MS = 7 * 86_400_000;
/** What follows the scrubber while it moves. */
const FOLLOWING: readonly ResourceName[] = ["now", "map"];
const RUNGS_MS = 350;
const HEAT_REFETCH_MS = 3_000;
/** The scrubber rests so long before everything is asked for, not only what moves with it. */
const SETTLE_MS = 600;
const CLOCK_MS = 1_000;
const HEALTH_MS = 10_000;

export class Store {
  view = $state.raw<View>(
    typeof location === "undefined" ? parseView("/", "") : parseView(location.pathname, location.search),
  );
  /** Now, ms since 1970; ticks every second, so that ages grow on screen. */
  clock = $state(Date.now());
  live = $state<Live>("off");
  liveRetryAt = $state<number | null>(null);
  /** When the stream last said anything, ms. */
  heardAt = $state<number | null>(null);
  cursor = $state.raw<Cursor | null>(null);
  fact = $state.raw<Fact | null>(null);
  /** One sentence for a screen reader; only when a state changed. */
  said = $state("");
  /** A past instant shows nothing right of it until this is true (`v`). */
  revealed = $state(false);
  playing = $state(false);
  /** Seconds of the market per second of the viewer, 1 to 600. */
  speed = $state(600);
  /** While the scrubber moves, the chart keeps its grid and hides what lies after; only the map and the header follow. */
  scrubbing = $state(false);

  readonly axis = new Axis();
  readonly now = new Resource<Answers["now"]>("now");
  readonly map = new Resource<Answers["map"]>("map");
  readonly asymmetry = new Resource<Answers["asymmetry"]>("asymmetry");
  readonly moves = new Resource<Answers["move-to"]>("move-to");
  readonly zones = new Resource<Answers["zones"]>("zones");
  readonly cascade = new Resource<Answers["cascade"]>("cascade");
  readonly accuracy = new Resource<Answers["accuracy"]>("accuracy");
  readonly episodes = new Resource<Answers["episodes"]>("episodes");
  readonly heat = new Resource<Answers["heat"]>("heat");
  /** The map of `view.compare`, for the split ladder. */
  readonly other = new Resource<Answers["map"]>("map");
  /** The ladder's rows at the step that is on screen, with their intervals. */
  readonly rungs = new Resource<Answers["map"]>("map");
  /** Published forced orders of the look-back, while their layer is on. */
  readonly prints = new Resource<LiquidationsData>("liquidations");
  /** What came after the shown instant, once it is revealed: its candles only. */
  readonly after = new Resource<Answers["heat"]>("heat");
  readonly instruments = new Resource<Machine["instruments"]>("instruments");
  readonly health = new Resource<Machine["health"]>("health");

  /** Binary frames of the heat topic go to whoever draws it. */
  onHeatFrame: ((frame: ArrayBuffer | null) => void) | null = null;
  /** Set by the chart: everything in view again; chart and ladder drawn onto a picture. */
  refit: (() => void) | null = null;
  plotPicture: ((ctx: CanvasRenderingContext2D, layout: Layout) => void) | null = null;
  /** Set by the ladder: draws itself, prices lying where `y` says. */
  ladderOn: ((ctx: CanvasRenderingContext2D, frame: Frame) => void) | null = null;
  /** The dollar scale of the colours that is in force. */
  scale = $state.raw<Scale | null>(null);

  private readonly stream = new Stream({
    message: (message) => this.hear(message),
    frame: (frame) => this.onHeatFrame?.(frame),
    state: (state, retryAt) => this.liveIs(state, retryAt),
  });
  private loaded = new Map<ResourceName | "other" | "rungs" | "prints", string>();
  private timers: ReturnType<typeof setInterval>[] = [];
  private nudge: ReturnType<typeof setTimeout> | undefined;
  /** While the replay runs: the instant of the grid that it runs over. */
  private anchor: string | null = null;
  private rungsTimer: ReturnType<typeof setTimeout> | undefined;
  private rungsWords: Words | null = null;
  private heatTimer: ReturnType<typeof setTimeout> | undefined;
  private settleTimer: ReturnType<typeof setTimeout> | undefined;

  private readonly named: Record<ResourceName, Resource<never>> = {
    now: this.now as Resource<never>,
    map: this.map as Resource<never>,
    asymmetry: this.asymmetry as Resource<never>,
    "move-to": this.moves as Resource<never>,
    zones: this.zones as Resource<never>,
    cascade: this.cascade as Resource<never>,
    accuracy: this.accuracy as Resource<never>,
    episodes: this.episodes as Resource<never>,
    heat: this.heat as Resource<never>,
  };

  /** Open the page at its address; returns what ends it. */
  start(): () => void {
    const key = new URLSearchParams(location.search).get("token");
    if (key) keepToken(key);
    this.view = parseView(location.pathname, location.search);
    if (key) history.replaceState(null, "", formatView(this.view));
    const back = (): void => this.show(parseView(location.pathname, location.search));
    const seen = (): void => this.wake();
    window.addEventListener("popstate", back);
    window.addEventListener("online", seen);
    document.addEventListener("visibilitychange", seen);
    this.timers = [
      setInterval(() => (this.clock = Date.now()), CLOCK_MS),
      setInterval(() => void (document.hidden || this.health.load(null)), HEALTH_MS),
    ];
    void this.health.load(null);
    void this.begin();
    return () => {
      window.removeEventListener("popstate", back);
      window.removeEventListener("online", seen);
      document.removeEventListener("visibilitychange", seen);
      this.timers.forEach(clearInterval);
      this.stream.close();
    };
  }

  /** The instrument that is looked at; "/" is the first that the server has. */
  get instrument(): string | null {
    return this.view.instrument ?? this.instruments.data?.bases[0] ?? null;
  }

  /** Change the view. A move of the pointer replaces the address, a choice (`push`) can be undone with the browser's back. */
  go(change: Partial<View>, push = false): void {
    const next = { ...this.view, ...change };
    const address = formatView(next);
    if (address !== location.pathname + location.search) {
      if (push) history.pushState(null, "", address);
      else history.replaceState(null, "", address);
    }
    this.show(next);
  }

  /** Move to an instant while the pointer is down or the replay runs; `settle` ends it at once. */
  scrub(asOf: string | null, settle = false): void {
    clearTimeout(this.settleTimer);
    this.scrubbing = !settle;
    if (settle) this.anchor = null;
    else if (this.playing && asOf !== null && this.anchor !== null && asOf >= this.anchor)
      this.anchor = this.anchorAfter(asOf);
    this.go({ asOf });
    if (!settle) this.settleTimer = setTimeout(() => this.playing || this.settle(), SETTLE_MS);
  }

  /** The scrubber rests: everything is asked for at its instant. */
  settle(): void {
    clearTimeout(this.settleTimer);
    this.scrubbing = false;
    this.anchor = null;
    this.load();
  }

  /** Start or end the replay. It needs columns after the shown instant: they are asked for and hidden. */
  play(on: boolean): void {
    if (on === this.playing || (on && this.view.asOf === null)) return;
    this.playing = on;
    if (!on) return this.settle();
    this.anchor = this.anchorAfter(this.view.asOf ?? "");
    this.scrubbing = true;
    this.load();
  }

  private anchorAfter(asOf: string): string {
    return isoOf(Math.min(Date.parse(asOf) + REPLAY_MS, this.recordEnd ?? Infinity));
  }

  /** Ask for the ladder's rows, once its axis rests. */
  askRungs(within: number, step: number): void {
    this.rungsWords = { within: percentWord(within), step: percentWord(step) };
    clearTimeout(this.rungsTimer);
    this.rungsTimer = setTimeout(() => this.loadRungs(), RUNGS_MS);
  }

  private loadRungs(): void {
    const { instrument } = this;
    if (instrument === null || this.rungsWords === null || this.scrubbing) return;
    const words = { ...wordsOf(this.view, "map"), ...this.rungsWords };
    const key = `${instrument} ${JSON.stringify(words)} ${this.map.answer?.meta.as_of ?? ""}`;
    if (this.loaded.get("rungs") === key) return;
    this.loaded.set("rungs", key);
    void this.rungs.load(instrument, words);
  }

  /** The chart was pulled beyond its first column: look back further, if that is stored. */
  lookFurther(): void {
    const next = LOOKS[LOOKS.indexOf(this.view.look) + 1];
    const from = Date.parse(this.heat.data?.from ?? "");
    if (next && !this.heat.loading && this.recordStart !== null && this.recordStart < from - 3_600_000)
      this.go({ look: next });
  }

  /** The heatmap has news that a frame could not carry. */
  heatIsStale(): void {
    this.heatTimer ??= setTimeout(() => {
      this.heatTimer = undefined;
      if (this.view.asOf !== null) return;
      this.loaded.delete("heat");
      this.load();
    }, HEAT_REFETCH_MS);
  }

  /** Show what came after the shown instant, or hide it again. */
  reveal(on: boolean): void {
    const grid = this.heat.data;
    const { asOf } = this.view;
    this.revealed = on && asOf !== null;
    if (!this.revealed || !grid || asOf === null || this.instrument === null) return this.after.clear();
    const end = isoOf(Math.min(Date.parse(asOf) + AFTER_MS, this.recordEnd ?? Infinity));
    const words = { ...wordsOf(this.view, "heat"), as_of: end, window: "7d", interval: `${grid.interval_s}s` };
    void this.after.load(this.instrument, words);
  }

  /** The newest stored instant of what is looked at, ms; null while it is not known. */
  get recordEnd(): number | null {
    return this.recordEdge("to", Math.max);
  }

  /** The first stored instant, ms. */
  get recordStart(): number | null {
    return this.recordEdge("from", Math.min);
  }

  private recordEdge(edge: "from" | "to", pick: (...values: number[]) => number): number | null {
    const asked = this.instrument;
    const rows =
      this.instruments.data?.instruments.filter((row) => row.base === asked || row.instrument === asked) ?? [];
    const times = rows.map((row) => Date.parse(row[edge] ?? "")).filter(Number.isFinite);
    return times.length ? pick(...times) : null;
  }

  /** Open what is known about a number. */
  explain(fact: Fact): void {
    this.fact = fact;
  }

  /** Open what is known about a row of the ladder. */
  explainRung(row: Rung, told: LadderRow | null): void {
    const from = told && this.rungs.answer ? this.rungs : this.map;
    const { answer } = from;
    if (!answer) return;
    const { meta, links } = answer;
    this.explain({ ...factOfRung(row, told), meta, links, api: addressOf(from.asked, meta.as_of) });
  }

  /** Milliseconds since the newest input, of what is shown now; null while nothing is known. */
  get ageS(): number | null {
    const { answer, at } = this.now;
    if (!answer || answer.meta.age_s === null || at === null) return null;
    return this.view.asOf === null ? answer.meta.age_s + (this.clock - at) / 1000 : answer.meta.age_s;
  }

  /** Ask for everything again. */
  refresh(): void {
    this.loaded.clear();
    this.load();
    this.stream.retry();
  }

  private async begin(): Promise<void> {
    if (this.view.instrument === null) await this.instruments.load(null);
    else void this.instruments.load(null);
    this.load();
  }

  private show(next: View): void {
    const other = next.instrument !== this.view.instrument;
    if (next.asOf !== this.view.asOf && this.revealed) this.reveal(false);
    this.view = next;
    if (other) {
      this.loaded.clear();
      for (const each of Object.values(this.named)) each.clear();
      this.other.clear();
      this.rungs.clear();
      this.prints.clear();
      this.after.clear();
    }
    this.load();
  }

  /** Ask for every resource whose words changed. */
  private load(): void {
    const instrument = this.instrument;
    if (instrument === null) return;
    for (const name of Object.keys(this.named) as ResourceName[]) {
      const words = wordsOf(this.view, name);
      if (name === "heat" && this.anchor !== null) words["as_of"] = this.anchor;
      const key = `${instrument} ${JSON.stringify(words)}`;
      if (this.loaded.get(name) === key) continue;
      // While the scrubber moves, an answer that is on its way is waited for: else none would ever arrive.
      const follows = FOLLOWING.includes(name) || (name === "heat" && this.anchor !== null);
      if (this.scrubbing && (!follows || this.named[name].loading)) continue;
      this.loaded.set(name, key);
      void this.named[name].load(instrument, words).then(() => {
        if (this.scrubbing) this.load();
        // What is compared with lies a length of time before the newest instant, which is known only now.
        else if (name === "now" && instrument === this.instrument) this.loadOther(instrument);
      });
    }
    if (!this.scrubbing) {
      this.loadOther(instrument);
      this.loadPrints(instrument);
    }
    const plain = this.view.asOf === null;
    // The map is asked for when it changed: compressed it is a seventh of what the stream would push.
    this.stream.listen(plain ? [`now.${instrument}`, `heat.${instrument}`] : []);
  }

  private loadOther(instrument: string): void {
    const at = compareAt(this.view.compare, this.view.asOf ?? this.now.answer?.meta.as_of ?? null);
    const key = at === null ? "" : `${instrument} ${at} ${JSON.stringify(wordsOf(this.view, "map"))}`;
    if (this.loaded.get("other") === key) return;
    this.loaded.set("other", key);
    if (at === null) this.other.clear();
    else void this.other.load(instrument, { ...wordsOf(this.view, "map"), as_of: at });
  }

  private loadPrints(instrument: string): void {
    if (this.view.hidden.includes("realised")) return;
    const words = printWords(this.view);
    const key = `${instrument} ${JSON.stringify(words)}`;
    if (this.loaded.get("prints") === key) return;
    this.loaded.set("prints", key);
    void this.prints.load(instrument, words);
  }

  private hear(message: StreamMessage): void {
    this.heardAt = Date.now();
    const [kind, ...rest] = message.topic.split(".");
    if (kind === "heat") return void this.onHeatFrame?.(null);
    if (rest.join(".") !== this.instrument || this.view.asOf !== null) return;
    const data = message.data;
    if (kind === "now" && data?.ok && isPlain(this.view)) this.now.take(data as Answer<Answers["now"]>);
    // What the stream does not carry is asked for, not more often than every few seconds.
    if (kind === "now") this.nudge ??= setTimeout(() => this.catchUp(), LIVE_REFETCH_MS);
  }

  private catchUp(): void {
    this.nudge = undefined;
    if (this.view.asOf !== null) return;
    const carried: ResourceName[] = isPlain(this.view)
      ? ["now", "heat", "episodes", "accuracy"]
      : ["heat", "episodes", "accuracy"];
    this.loaded.delete("prints");
    for (const name of this.loaded.keys())
      if (name !== "other" && name !== "rungs" && name !== "prints" && !carried.includes(name))
        this.loaded.delete(name);
    this.load();
  }

  private liveIs(state: Live, retryAt: number | null): void {
    if (state === "live") this.heardAt = Date.now();
    if (state === "lost" && this.live === "live")
      this.said = "The server does not answer. Numbers on screen are the last ones.";
    if (state === "live" && this.live === "lost") {
      this.said = "The server answers again.";
      this.refresh();
    }
    this.live = state;
    this.liveRetryAt = retryAt;
  }

  private wake(): void {
    this.clock = Date.now();
    if (!document.hidden) this.stream.retry();
  }
}

/** The instant that `compare` means: itself, or a length of time before what is shown; null if there is nothing to compare with. */
export function compareAt(compare: string | null, shown: string | null): string | null {
  const length = /^(\d+)([mhdw])$/.exec(compare ?? "");
  if (!length) return compare;
  if (shown === null) return null;
  const unit = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[length[2]!] ?? 0;
  return new Date(Date.parse(shown) - Number(length[1]) * unit).toISOString().replace(".000Z", "Z");
}
