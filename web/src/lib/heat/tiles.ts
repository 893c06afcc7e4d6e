// The tiles of one grid: fetched once, kept while the grid is looked at, brought up to date by the stream.

import { bytes } from "../api";
import type { Result } from "../api";
import { columnsOf, joined, type Delta } from "./delta";
import type { Grid } from "./levels";
import { decodeTile, NOT_KNOWN, type Tile } from "./tile";

export interface Held {
  tile: Tile;
  /** Grows with every change: pictures of older ones are void. */
  version: number;
}

type Fetch = (path: string, signal: AbortSignal) => Promise<Result<ArrayBuffer>>;

export class Tiles {
  private readonly held = new Map<string, Held>();
  private readonly loading = new Set<string>();
  private readonly failed = new Map<string, number>();
  private readonly aborter = new AbortController();
  private versions = 0;

  constructor(
    readonly grid: Grid,
    private readonly changed: () => void,
    private readonly fetch: Fetch = bytes,
  ) {}

  /** A tile if it is here; if not it is fetched and `changed` is called when it has come. */
  get(level: number, index: number): Held | null {
    const held = this.held.get(`${level}/${index}`) ?? null;
    if (!held) void this.load(level, index);
    return held;
  }

  /** A tile if it is here. */
  peek(level: number, index: number): Held | null {
    return this.held.get(`${level}/${index}`) ?? null;
  }

  /** Whether tiles are on their way. */
  get busy(): boolean {
    return this.loading.size > 0;
  }

  /** Tiles that are here, for the histogram. */
  all(): Iterable<Held> {
    return this.held.values();
  }

  /** The byte of a cell by absolute column, of the finest level that is here (a coarser one holds the largest of its columns). */
  byte(column: number, row: number): number | null {
    const { tile_columns: width, rows, levels } = this.grid;
    if (row < 0 || row >= rows) return null;
    for (let level = 0; level < levels; level++) {
      const at = column >> level;
      const held = this.peek(level, Math.floor(at / width));
      if (held) return held.tile.cells[(at % width) * rows + row] ?? null;
    }
    return null;
  }

  close(): void {
    this.aborter.abort();
  }

  /** Fetch anew what may have changed: a revision was missed. The browser asks with the tag of what it has. */
  refresh(): void {
    for (const { tile } of [...this.held.values()]) if (tile.open) void this.load(tile.level, tile.index);
  }

  /** Apply news of this grid; false if a revision was missed and it must be asked for. */
  apply(delta: Delta): boolean {
    const grid = this.grid;
    if (delta.kind !== "columns" || delta.grid !== grid.grid || delta.previous !== grid.revision) return false;
    const width = grid.tile_columns;
    const before = this.column(0, delta.first - 1);
    // Runs are against a column that is not here: only the server can say what the news means.
    const readable = before !== null || delta.first <= grid.first;
    if (!readable) this.refresh();
    const news = readable ? columnsOf(delta, before) : [];
    news.forEach((cells, k) => {
      const column = delta.first + k;
      this.write(0, column, cells);
      for (let level = 1; level < grid.levels; level++) {
        const coarse = column >> level;
        if (!this.peek(level, Math.floor(coarse / width))) continue;
        const parts: Uint8Array[] = [];
        for (let c = coarse << level; c < (coarse + 1) << level; c++) {
          const part = this.column(0, c);
          if (part) parts.push(part);
        }
        if (parts.length) this.write(level, coarse, joined(parts));
      }
    });
    grid.revision = delta.revision;
    grid.columns = Math.max(grid.columns, delta.first + delta.columns.length - grid.first);
    grid.tiles.forEach((tiles, level) => {
      tiles[1] = Math.max(tiles[1], Math.floor(((grid.first + grid.columns - 1) >> level) / width));
    });
    this.changed();
    return true;
  }

  private column(level: number, column: number): Uint8Array | null {
    const width = this.grid.tile_columns;
    const held = this.peek(level, Math.floor(column / width));
    if (!held) return null;
    const start = (column % width) * this.grid.rows;
    return held.tile.cells.subarray(start, start + this.grid.rows);
  }

  private write(level: number, column: number, cells: Uint8Array): void {
    const { tile_columns: width, rows } = this.grid;
    const index = Math.floor(column / width);
    let held = this.peek(level, index);
    // A tile that begins with news is new itself; one whose earlier columns are not here is fetched when it is looked at.
    if (!held && column % width !== 0) return;
    if (!held) {
      held = { tile: this.blank(level, index), version: ++this.versions };
      this.held.set(`${level}/${index}`, held);
    }
    held.tile.cells.set(cells, (column % width) * rows);
    held.version = ++this.versions;
  }

  private blank(level: number, index: number): Tile {
    const { tile_columns: columns, rows, floor_usd: floorUsd, decades, steps } = this.grid;
    const cells = new Uint8Array(columns * rows).fill(NOT_KNOWN);
    return { level, index, columns, rows, floorUsd, decades, steps, open: true, cells };
  }

  private async load(level: number, index: number): Promise<void> {
    const key = `${level}/${index}`;
    if (this.loading.has(key) || (this.failed.get(key) ?? 0) > Date.now()) return;
    this.loading.add(key);
    const got = await this.fetch(`heat/${this.grid.grid}/${key}`, this.aborter.signal);
    this.loading.delete(key);
    if ("aborted" in got) return;
    if (got.ok) this.take(key, got.value);
    else this.failed.set(key, Date.now() + 5_000);
    this.changed();
  }

  private take(key: string, buffer: ArrayBuffer): void {
    try {
      this.held.set(key, { tile: decodeTile(buffer), version: ++this.versions });
    } catch {
      this.failed.set(key, Date.now() + 60_000);
    }
  }
}
