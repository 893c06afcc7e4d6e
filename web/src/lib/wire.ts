// What the API sends. The types come from its own description (`npm run types` writes openapi.d.ts from a running server); only
// the cascade, which the description leaves open, is spelt out here.

import type {
  AccuracyData,
  AsymmetryData,
  DollarScale,
  EpisodesData,
  ErrorFacts,
  Estimate,
  HealthData,
  HeatData,
  InstrumentsData,
  Links,
  MapData,
  Meta,
  MovesData,
  NowData,
  Tilt,
  ZonesData,
} from "./openapi";

export type {
  AccuracyData,
  AsymmetryData,
  Badge,
  Coverage,
  DollarScale,
  Episode,
  EpisodesData,
  ErrorFacts,
  Estimate,
  HealthData,
  HeatData,
  InstrumentsData,
  LadderRow,
  Late,
  Links,
  LiquidationsData,
  MapData,
  Meta,
  Move,
  MoveRow,
  MovesData,
  NowData,
  Part,
  Tilt,
  WindowRow,
  Zone,
  ZonesData,
} from "./openapi";

/** The envelope of every answer. */
export interface Answer<T> {
  ok: true;
  schema: string;
  data: T;
  meta: Meta;
  links: Links;
}

export interface Odds {
  value: number;
  error: number;
}

export interface Ignition {
  direction: "up" | "down";
  within: number;
  p_ignites: Odds;
  dollars: Estimate;
  distance: Estimate;
  extent: Estimate;
  price: Estimate;
  p_beyond: Odds | null;
  engine: string;
  p_engine: Odds;
}

export interface Run {
  direction: "up" | "down";
  shock_usd: number;
  distance: Estimate;
  distance_no_map: Estimate;
  forced_usd: Estimate;
  amplification: Estimate;
  end_price: Estimate;
  p_beyond: Odds;
}

export interface Reach {
  distance: number;
  price: number;
  odds: Odds;
  no_map: Odds;
  timed: Odds;
  timed_no_map: Odds;
}

export interface Quantile {
  share: number;
  value: number;
  error: number;
}

export interface Timed {
  shock_usd: number;
  shock_s: number;
  horizon_s: number;
  paths: number;
  end: Quantile[];
  end_no_map: Quantile[];
  peak: Estimate;
  peak_no_map: Estimate;
  forced_usd: Estimate;
  busiest_minute_usd: Estimate;
  forced_by_round_usd: number[];
  forced_by_venue_usd: Record<string, number>;
  p_ignites: Odds;
  ignition_s: Estimate;
  adl_usd: Estimate;
  p_adl: Odds | null;
  p_beyond: Odds;
  p_unfinished: Odds;
}

export interface CascadeWay {
  shock_usd: number;
  ignition: Ignition;
  run: Run;
  reach: Reach[];
  timed: Timed | null;
}

export interface AbsorptionPart {
  name: string;
  median: number;
  lo: number;
  hi: number;
  source: string;
  date: string;
}

export interface CascadeData {
  headline: string;
  preset: string;
  push: number | null;
  seed: number;
  reported_share: AbsorptionPart | null;
  absorption: {
    basis: string;
    basis_text: string;
    book_at: string | null;
    book_source: string | null;
    volume_1d_usd: number | null;
    volume_to: string | null;
    sigma_1d: number | null;
    within_1pct_usd: { up: Estimate; down: Estimate };
    horizon_s: number;
    parts: AbsorptionPart[];
    notes: string[];
  };
  tilt: Tilt | null;
  up: CascadeWay | null;
  down: CascadeWay | null;
  reality_check: {
    expected: number;
    seen: number;
    lo: number;
    hi: number;
    consistent: boolean | null;
    no_map_expected: number;
    days: number;
    sentence: string;
  } | null;
}

/** `data` of each resource of an instrument, by its name in the address. */
export interface Answers {
  now: NowData;
  map: MapData;
  asymmetry: AsymmetryData;
  "move-to": MovesData;
  zones: ZonesData;
  cascade: CascadeData;
  accuracy: AccuracyData;
  episodes: EpisodesData;
  heat: HeatData;
}
export type ResourceName = keyof Answers;

/** The same about no instrument. */
export interface Machine {
  instruments: InstrumentsData;
  health: HealthData;
}

/** A text message of the stream. */
export interface StreamMessage {
  topic: string;
  seq: number;
  as_of?: string | null;
  kind: "snapshot" | "event" | "patch";
  data?: Answer<unknown> | { ok: false; error: ErrorFacts } | null;
  skipped?: number;
}

export type Scale = DollarScale;
