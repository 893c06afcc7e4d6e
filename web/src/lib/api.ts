// Asking the API. Every outcome is a value: an answer, a failure in the one error shape, or "aborted". Nothing is thrown.

import type { Answer, ErrorFacts } from "./wire";

export const PREFIX = "/api/v1";

/** Why there is no answer; `retryAfterS` is how long the server asks to wait, null if it did not say. */
export interface Failure {
  code: string;
  message: string;
  hint: string | null;
  status: number;
  retryAfterS: number | null;
  context: Record<string, unknown>;
}

export type Result<T> = { ok: true; value: T } | { ok: false; failure: Failure } | { ok: false; aborted: true };

export type Words = Record<string, string | number | null | undefined>;

/** The address of a resource; words that are null are left out. */
export function address(path: string, words: Words = {}): string {
  return `${PREFIX}/${path}${queryOf(words)}`;
}

/** The page's own address with an ending: the view as data. */
export function dataAddress(instrument: string, form: "csv", words: Words): string {
  return `/${instrument}.${form}${queryOf(words)}`;
}

function queryOf(words: Words): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(words))
    if (value !== null && value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text ? `?${text}` : "";
}

const TOKEN = "liqscape-token";

/** A server beyond this machine asks for a token: `?token=` of the page's first address is kept for the tab, not in the address. */
export function token(): string | null {
  try {
    return sessionStorage.getItem(TOKEN);
  } catch {
    return null;
  }
}

export function keepToken(value: string): void {
  try {
    sessionStorage.setItem(TOKEN, value);
  } catch {
    // Without storage the token lasts as long as the page.
  }
}

/** Ask for JSON in the envelope. */
export async function ask<T>(path: string, words: Words = {}, signal?: AbortSignal): Promise<Result<Answer<T>>> {
  const got = await send(address(path, words), signal);
  if (!got.ok) return got;
  try {
    const body = (await got.value.json()) as Answer<T> | { ok: false; error: ErrorFacts };
    if (body.ok) return { ok: true, value: body };
    return { ok: false, failure: failureOf(got.value.status, body.error) };
  } catch (error) {
    return stopped(error) ?? { ok: false, failure: broken(got.value.status) };
  }
}

/** Ask for bytes. */
export function bytes(path: string, signal?: AbortSignal): Promise<Result<ArrayBuffer>> {
  return bytesAt(address(path), signal);
}

/** Ask for bytes at a whole address of this server. */
export async function bytesAt(url: string, signal?: AbortSignal): Promise<Result<ArrayBuffer>> {
  const got = await send(url, signal);
  if (!got.ok) return got;
  try {
    if (got.value.ok) return { ok: true, value: await got.value.arrayBuffer() };
    const body = (await got.value.json()) as { error: ErrorFacts };
    return { ok: false, failure: failureOf(got.value.status, body.error) };
  } catch (error) {
    return stopped(error) ?? { ok: false, failure: broken(got.value.status) };
  }
}

async function send(url: string, signal: AbortSignal | undefined): Promise<Result<Response>> {
  const key = token();
  try {
    const init: RequestInit = { headers: key ? { authorization: `Bearer ${key}` } : {} };
    if (signal) init.signal = signal;
    return { ok: true, value: await fetch(url, init) };
  } catch (error) {
    return stopped(error) ?? { ok: false, failure: UNREACHABLE };
  }
}

/** The server did not answer at all. */
export const UNREACHABLE: Failure = {
  code: "UNREACHABLE",
  message: "the server does not answer",
  hint: "Start it again with `liqscape serve`; this page asks again by itself.",
  status: 0,
  retryAfterS: null,
  context: {},
};

export function failureOf(status: number, facts: ErrorFacts): Failure {
  return {
    code: facts.code,
    message: facts.message,
    hint: facts.hint,
    status,
    retryAfterS: facts.retry_after_s,
    context: facts.context,
  };
}

function broken(status: number): Failure {
  const message = `the answer (HTTP ${status}) is not what this page understands`;
  return {
    code: "UNREADABLE",
    message,
    hint: "Reload the page: the server may be newer than it.",
    status,
    retryAfterS: null,
    context: {},
  };
}

function stopped(error: unknown): { ok: false; aborted: true } | null {
  return error instanceof DOMException && error.name === "AbortError" ? { ok: false, aborted: true } : null;
}
