// The live stream: one WebSocket for all topics, opened again with growing waits when it is lost. What comes is handed on as it
// is; what it means is the store's business.

import { PREFIX, token } from "./api";
import type { StreamMessage } from "./wire";

export type Live = "off" | "connecting" | "live" | "lost";

export interface Listener {
  message(message: StreamMessage): void;
  frame(frame: ArrayBuffer): void;
  /** `retryAt` is when it is tried again, ms since 1970; null while it is not waiting. */
  state(state: Live, retryAt: number | null): void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** Three heartbeats of 5 s. */
const SILENCE_MS = 15_000;

export class Stream {
  private socket: WebSocket | null = null;
  private topics: readonly string[] = [];
  /** The largest number seen: the server sends no smaller one later, so nothing up to it was missed. Frames carry none. */
  private seen: number | null = null;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly listener: Listener) {}

  /** Listen to these topics and no others; none closes the stream. */
  listen(topics: readonly string[]): void {
    if (topics.join() === this.topics.join()) return;
    this.topics = topics;
    this.seen = null; // it says nothing of other topics
    this.close();
    if (topics.length) this.open();
    else this.listener.state("off", null);
  }

  /** Try now instead of waiting. */
  retry(): void {
    if (!this.topics.length || this.socket) return;
    clearTimeout(this.timer);
    this.open();
  }

  close(): void {
    clearTimeout(this.timer);
    clearTimeout(this.quiet);
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  private open(): void {
    this.listener.state(this.tries ? "lost" : "connecting", null);
    const socket = new WebSocket(this.url());
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (socket === this.socket) this.receive(event.data);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
    };
  }

  private url(): string {
    const words = new URLSearchParams({ topics: this.topics.join(",") });
    if (this.seen !== null) words.set("since", String(this.seen));
    const key = token();
    if (key) words.set("token", key);
    return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${PREFIX}/stream?${words.toString()}`;
  }

  private receive(data: string | ArrayBuffer): void {
    this.tries = 0;
    this.listener.state("live", null);
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.lost(), SILENCE_MS);
    if (typeof data !== "string") {
      this.listener.frame(data);
      return;
    }
    const message = readMessage(data);
    if (!message) return;
    this.seen = Math.max(this.seen ?? 0, message.seq);
    if (message.topic !== "heartbeat") this.listener.message(message);
  }

  private lost(): void {
    this.close();
    const wait = waitMs(this.tries++);
    this.listener.state("lost", Date.now() + wait);
    this.timer = setTimeout(() => this.open(), wait);
  }
}

/** Half a second, doubling, at most 15 s. */
export function waitMs(tries: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 10));
}

export function readMessage(text: string): StreamMessage | null {
  try {
    const message = JSON.parse(text) as StreamMessage;
    return typeof message.topic === "string" && typeof message.seq === "number" ? message : null;
  } catch {
    return null;
  }
}
