import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Stream, type Live } from "../src/lib/stream";
import type { StreamMessage } from "../src/lib/wire";

/** Stands for the browser's WebSocket: remembers its address, says what the test lets it say. */
class Socket {
  static all: Socket[] = [];
  binaryType = "";
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    Socket.all.push(this);
  }

  close(): void {
    this.closed = true;
    this.onclose?.();
  }

  say(topic: string, seq: number, more: object = {}): void {
    this.onmessage?.({ data: JSON.stringify({ topic, seq, kind: "snapshot", ...more }) });
  }

  get words(): URLSearchParams {
    return new URL(this.url).searchParams;
  }
}

const last = (): Socket => Socket.all[Socket.all.length - 1]!;

function heard() {
  const messages: StreamMessage[] = [];
  const frames: ArrayBuffer[] = [];
  const states: Live[] = [];
  const stream = new Stream({
    message: (one) => messages.push(one),
    frame: (one) => frames.push(one),
    state: (one) => states.push(one),
  });
  return { stream, messages, frames, states };
}

beforeEach(() => {
  vi.useFakeTimers();
  Socket.all = [];
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("location", { protocol: "http:", host: "127.0.0.1:8700", search: "", hash: "" });
  vi.stubGlobal("sessionStorage", { getItem: () => null, setItem: () => undefined });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a stream that was lost", () => {
  it("asks for everything at first, and then for what is newer than the largest number it saw", () => {
    const { stream, messages } = heard();
    stream.listen(["now.BTC", "map.BTC", "heat.BTC"]);
    expect(last().words.get("topics")).toBe("now.BTC,map.BTC,heat.BTC");
    expect(last().words.has("since")).toBe(false);
    last().say("now.BTC", 41);
    last().say("map.BTC", 44, { skipped: 2 });
    last().onmessage?.({ data: new ArrayBuffer(24) }); // a frame has no number
    last().close();
    vi.advanceTimersByTime(600);
    expect(Socket.all).toHaveLength(2);
    expect(last().words.get("since")).toBe("44");
    expect(messages.map((one) => one.skipped ?? 0)).toEqual([0, 2]);
  });

  it("counts a heartbeat's number and hands no heartbeat on", () => {
    const { stream, messages } = heard();
    stream.listen(["now.BTC"]);
    last().say("now.BTC", 5);
    last().say("heartbeat", 9, { kind: "event" });
    last().close();
    vi.advanceTimersByTime(600);
    expect(last().words.get("since")).toBe("9");
    expect(messages.map((one) => one.topic)).toEqual(["now.BTC"]);
  });

  it("goes on from what it saw before it was lost, however often nobody answers", () => {
    const { stream } = heard();
    stream.listen(["now.BTC"]);
    last().say("now.BTC", 7);
    for (let k = 0; k < 3; k++) {
      last().close();
      vi.advanceTimersByTime(15_000);
    }
    expect(Socket.all.length).toBeGreaterThan(2);
    expect(last().words.get("since")).toBe("7");
  });

  it("knows nothing of other topics", () => {
    const { stream } = heard();
    stream.listen(["now.BTC"]);
    last().say("now.BTC", 7);
    stream.listen(["now.ETH"]);
    expect(last().words.has("since")).toBe(false);
  });

  it("hears nothing from a socket that it left", () => {
    const { stream, messages } = heard();
    stream.listen(["now.BTC"]);
    const old = last();
    stream.listen(["now.ETH"]);
    old.say("now.BTC", 9);
    expect(messages).toEqual([]);
    expect(old.closed).toBe(true);
  });

  it("is lost after three silent heartbeats and says when it tries again", () => {
    const { stream, states } = heard();
    stream.listen(["now.BTC"]);
    last().say("now.BTC", 7);
    vi.advanceTimersByTime(15_000);
    expect(states).toEqual(["connecting", "live", "lost"]);
    vi.advanceTimersByTime(500);
    expect(Socket.all).toHaveLength(2);
    expect(last().words.get("since")).toBe("7");
  });
});
