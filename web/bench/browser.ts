// Chromium, driven over its own protocol: enough to measure and to look. Run by Node itself, which strips the types.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Answer = {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
  method?: string;
  params?: unknown;
};

export class Browser {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private next = 1;
  /** What the page printed to its console, and its errors. */
  readonly console: string[] = [];

  // Spelt out, for Node strips types and nothing more.
  private readonly process: ChildProcess;
  private readonly folder: string;
  private readonly socket: WebSocket;

  private constructor(process: ChildProcess, folder: string, socket: WebSocket) {
    this.process = process;
    this.folder = folder;
    this.socket = socket;
    socket.onmessage = (event: MessageEvent<string>) => this.receive(JSON.parse(event.data) as Answer);
  }

  static async open(width: number, height: number, more: readonly string[] = []): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    const process = spawn(
      globalThis.process.env["CHROMIUM"] ?? "chromium",
      [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
        `--user-data-dir=${folder}`,
        `--window-size=${width},${height}`,
        ...more,
        "about:blank",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const port = await new Promise<string>((resolve, reject) => {
      let text = "";
      process.stderr.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const found = /ws:\/\/[^:]+:(\d+)\//.exec(text);
        if (found) resolve(found[1]!);
      });
      process.on("exit", () => reject(new Error(`chromium ended: ${text.slice(-400)}`)));
    });
    const pages = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
      type: string;
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(pages.find((each) => each.type === "page")!.webSocketDebuggerUrl);
    await new Promise((resolve) => (socket.onopen = resolve));
    const browser = new Browser(process, folder, socket);
    await browser.send("Page.enable");
    await browser.send("Runtime.enable");
    await browser.send("Log.enable");
    await browser.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    return browser;
  }

  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (answer) =>
        answer.error ? reject(new Error(answer.error.message)) : resolve(answer.result ?? {}),
      );
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  goto(url: string): Promise<unknown> {
    return this.send("Page.navigate", { url });
  }

  async evaluate<T>(expression: string): Promise<T> {
    const got = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (got["exceptionDetails"]) throw new Error(JSON.stringify(got["exceptionDetails"]).slice(0, 600));
    return (got["result"] as { value: T }).value;
  }

  /** Wait until an expression is true. */
  async until(expression: string, ms = 30_000): Promise<void> {
    const end = Date.now() + ms;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) {
      if (Date.now() > end) throw new Error(`never came true: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async mouse(type: "mouseMoved" | "mousePressed" | "mouseReleased", x: number, y: number): Promise<void> {
    const button = type === "mouseMoved" ? "none" : "left";
    await this.send("Input.dispatchMouseEvent", {
      type,
      x,
      y,
      button,
      buttons: type === "mousePressed" ? 1 : 0,
      clickCount: 1,
    });
  }

  async key(key: string): Promise<void> {
    for (const type of ["keyDown", "keyUp"]) {
      await this.send("Input.dispatchKeyEvent", {
        type,
        key,
        ...(key.length === 1 && type === "keyDown" ? { text: key } : {}),
      });
    }
  }

  async screenshot(path: string): Promise<void> {
    const got = await this.send("Page.captureScreenshot", { format: "png" });
    writeFileSync(path, Buffer.from(got["data"] as string, "base64"));
  }

  scheme(value: "dark" | "light"): Promise<unknown> {
    return this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  }

  async close(): Promise<void> {
    void this.send("Browser.close").catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    this.process.kill();
    await new Promise((resolve) => setTimeout(resolve, 300));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private receive(answer: Answer): void {
    if (answer.id !== undefined) {
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
      return;
    }
    if (
      answer.method === "Runtime.exceptionThrown" ||
      answer.method === "Log.entryAdded" ||
      answer.method === "Runtime.consoleAPICalled"
    ) {
      this.console.push(`${answer.method}: ${JSON.stringify(answer.params).slice(0, 700)}`);
    }
  }
}
