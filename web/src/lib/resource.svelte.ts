// One resource of the API: its newest answer, how old it is, whether another is on its way, what went wrong last. A failure never
// throws away the answer before it to the same question: old numbers stay on screen with their age.

import { ask, type Failure, type Words } from "./api";
import type { Answer } from "./wire";

export class Resource<T> {
  answer = $state.raw<Answer<T> | null>(null);
  failure = $state.raw<Failure | null>(null);
  loading = $state(false);
  /** When the answer was received, ms since 1970. */
  at = $state<number | null>(null);
  /** When it is asked again after a failure, ms since 1970. */
  retryAt = $state<number | null>(null);
  /** The words that the answer was given to. */
  asked = $state("");

  private aborter: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;

  constructor(private readonly path: string) {}

  get data(): T | null {
    return this.answer?.data ?? null;
  }

  /** Ask for an instrument (or for none), instead of what was asked before. */
  async load(instrument: string | null, words: Words = {}): Promise<void> {
    this.aborter?.abort();
    clearTimeout(this.timer);
    const aborter = new AbortController();
    this.aborter = aborter;
    this.loading = true;
    const path = instrument === null ? this.path : `${encodeURIComponent(instrument)}/${this.path}`;
    const got = await ask<T>(path, words, aborter.signal);
    if (aborter !== this.aborter) return;
    this.loading = false;
    const asked = `${path} ${JSON.stringify(words)}`;
    if (got.ok) {
      this.take(got.value, asked);
      return;
    }
    if ("aborted" in got) return;
    this.failure = got.failure;
    this.retryAt = null;
    // Old numbers stay only if they answer the same words: those of another instant might be of its future.
    if (asked !== this.asked) this.answer = this.at = null;
    if (!mayPass(got.failure)) return;
    const wait = (got.failure.retryAfterS ?? Math.min(15, 2 ** this.tries++)) * 1000;
    this.retryAt = Date.now() + wait;
    this.timer = setTimeout(() => void this.load(instrument, words), wait);
  }

  /** An answer that came another way, over the stream. */
  take(answer: Answer<T>, asked = this.asked): void {
    this.answer = answer;
    this.asked = asked;
    this.at = Date.now();
    this.failure = null;
    this.retryAt = null;
    this.tries = 0;
  }

  /** Forget everything: another instrument is looked at. */
  clear(): void {
    this.aborter?.abort();
    clearTimeout(this.timer);
    this.aborter = null;
    this.answer = this.failure = this.at = this.retryAt = null;
    this.loading = false;
    this.asked = "";
    this.tries = 0;
  }
}

/** Whether asking again can help: the server was away, busy, warming up or failed; not if the question was wrong. */
export function mayPass(failure: Failure): boolean {
  return failure.status === 0 || failure.status === 429 || failure.status >= 500;
}
