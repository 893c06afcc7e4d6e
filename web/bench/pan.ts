// How smoothly the whole heatmap pans and zooms on the CPU alone, and how soon the page paints.
//
//   liqscape serve --port 8700 &            (with the built page)
//   node bench/pan.ts [address] [as_of] [words]     prints frame times in ms, p50 / p95
//
// Words are added to the question for the heatmap, such as 'rows=1024&within=15.6%25' for a larger one.
//
// Chromium runs with --disable-gpu and without a frame limit; a frame is the interval between two animation frames while a
// script moves the view, so it holds everything: our drawing, the library's, the ladder beside it, the rasteriser.

import { Browser } from "./browser.ts";

const [base = "http://127.0.0.1:8700", asOf = "2026-02-10T00:00Z", words = ""] = process.argv.slice(2);

interface Frames {
  name: string;
  p50: number;
  p95: number;
  frames: number;
}

/** Runs in the page: move the visible range along a path and take the time of each frame. */
const MOVE = `async (name, path) => {
  const scale = liqscapeChart.chart.timeScale();
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let k = 0; k < path.length; k += 8) { scale.setVisibleLogicalRange({ from: path[k][0], to: path[k][1] }); await frame(); }
  while (liqscapeChart.heatTiles.busy) await frame();
  await new Promise((done) => setTimeout(done, 300));
  const times = [];
  let last = await frame();
  for (const [from, to] of path) {
    scale.setVisibleLogicalRange({ from, to });
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  times.sort((a, b) => a - b);
  const at = (share) => Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))] * 10) / 10;
  return { name, p50: at(0.5), p95: at(0.95), frames: times.length };
}`;

/** Ranges of columns: pan a view of a share of all from left to right; zoom from a hundred columns to all. */
function pan(columns: number, share: number, steps: number): [number, number][] {
  const width = columns * share;
  return Array.from({ length: steps }, (_, k) => {
    const from = ((columns - width) * k) / (steps - 1);
    return [from, from + width];
  });
}

function zoom(columns: number, steps: number): [number, number][] {
  return Array.from({ length: steps }, (_, k) => {
    const width = 100 * (columns / 100) ** (k / (steps - 1));
    return [columns - width, columns];
  });
}

/** CPU seconds that the page's main thread has spent: what others do on this machine is not in it. */
async function busy(browser: Browser): Promise<number> {
  const got = (await browser.send("Performance.getMetrics"))["metrics"] as { name: string; value: number }[];
  return got.find((each) => each.name === "TaskDuration")?.value ?? NaN;
}

const browser = await Browser.open(1600, 900, ["--disable-frame-rate-limit", "--disable-gpu-vsync"]);
try {
  if (words) {
    const source = `const plain = fetch; fetch = (to, how) => plain(/[/]heat[?]/.test(to) ? to + "&${words}" : to, how);`;
    await browser.send("Page.addScriptToEvaluateOnNewDocument", { source });
  }
  const url = `${base}/BTC?as_of=${asOf}&bench=1`;
  await browser.goto(url);
  await browser.until("globalThis.liqscapeChart?.heatGrid && !liqscapeChart.heatTiles.busy", 60_000);
  // Once more: the server has the grid now, which is what a page that is opened finds.
  await browser.goto(url);
  await browser.until("globalThis.liqscapeChart?.heatGrid && !liqscapeChart.heatTiles.busy", 60_000);
  const paints = await browser.evaluate<{ paint: number; grid: number }>(
    `({ paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null, grid: performance.now() })`,
  );
  const grid = await browser.evaluate<{ columns: number; rows: number }>(
    "({ columns: liqscapeChart.heatGrid.columns, rows: liqscapeChart.heatGrid.rows })",
  );
  console.log(`${grid.columns} x ${grid.rows} = ${((grid.columns * grid.rows) / 1e6).toFixed(2)} M cells, ${url}`);
  console.log(
    `first contentful paint ${Math.round(paints.paint)} ms; candles and tiles within ${Math.round(paints.grid)} ms`,
  );
  const runs: [string, [number, number][]][] = [
    ["pan, 80 % of all columns", pan(grid.columns, 0.8, 240)],
    ["pan, 2 days", pan(grid.columns, 576 / grid.columns, 480)],
    ["zoom, 100 to all columns", zoom(grid.columns, 240)],
  ];
  await browser.send("Performance.enable", { timeDomain: "threadTicks" });
  for (const [name, path] of runs) {
    const before = await busy(browser);
    const got = await browser.evaluate<Frames>(`(${MOVE})(${JSON.stringify(name)}, ${JSON.stringify(path)})`);
    // The rehearsal that loads the tiles is an eighth of the frames more.
    const own = (((await busy(browser)) - before) * 1000) / (got.frames * 1.125);
    const verdict = got.p95 < 33 ? "" : "  ABOVE 33 ms";
    console.log(
      `${got.name.padEnd(26)} p50 ${got.p50} ms  p95 ${got.p95} ms  page's own CPU ${own.toFixed(1)} ms a frame  (${got.frames} frames)${verdict}`,
    );
  }
} finally {
  await browser.close();
}
process.exit(0);
