/**
 * A report as data: what is said, in which order, and of which kind. The model makes it, html/ and text.ts show it, so
 * that the page and the plain text have the same content. All texts may come from outside: whoever shows them makes
 * them safe.
 */
export interface ReportDocument {
  title: string;
  /** The span, and when it was made. */
  subtitle: string;
  /** ISO 8601. */
  generatedAt: string;
  verdict: Verdict;
  sections: Section[];
  /** What stands at the end: how the figures come about. */
  notes: string[];
}

/** How good something is. `none`: it says nothing about that. */
export type Tone = 'good' | 'warning' | 'bad' | 'none';

export interface Verdict {
  tone: Tone;
  /** One sentence. */
  headline: string;
  /** What is wrong now, and what to do; worst first. */
  points: { tone: Tone; text: string; advice: string | null }[];
  /** The next things to do, at most three. */
  next: string[];
}

export interface Section {
  /** Used as an anchor: letters, digits and dashes. */
  id: string;
  title: string;
  /** Which instance its title begins with, where there are several. */
  of?: string;
  blocks: Block[];
}

export type Block =
  | { kind: 'text'; text: string; tone: Tone }
  | { kind: 'heading'; text: string }
  | { kind: 'figures'; figures: Figure[] }
  | { kind: 'table'; table: Table }
  | { kind: 'chart'; chart: Chart }
  | { kind: 'timeline'; timeline: Timeline };

/** One number that is looked at first. */
export interface Figure {
  label: string;
  value: string;
  note: string | null;
  tone: Tone;
}

export interface TableCell {
  text: string;
  tone: Tone;
  /** Draws a bar behind the text, 0..1. */
  share: number | null;
}

export interface Table {
  caption: string;
  columns: { title: string; align: 'left' | 'right' }[];
  rows: TableCell[][];
  /** What stands there without rows. */
  empty: string;
}

/** A moment (milliseconds) and a value; null where nothing was measured: the line has a gap there. */
export type Point = readonly [at: number, value: number | null];

export type Unit = 'bytes' | 'count' | 'per-second' | 'percent' | 'milliseconds' | 'seconds';

export interface Chart {
  title: string;
  unit: Unit;
  /** The span shown, milliseconds. */
  from: number;
  to: number;
  lines: { name: string; points: Point[] }[];
  /** Horizontal lines that mean something. */
  limits: { name: string; value: number; tone: Tone }[];
  /** An uncertain future: lower and upper value by time. */
  band: { name: string; points: { at: number; low: number; high: number }[] } | null;
}

export interface Timeline {
  title: string;
  from: number;
  to: number;
  marks: { at: number; label: string; tone: Tone; shape: 'dot' | 'ring' | 'square' }[];
  legend: { label: string; shape: 'dot' | 'ring' | 'square'; tone: Tone }[];
}
