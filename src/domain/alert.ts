import type { Finding, Severity } from './finding.ts';

/**
 * One alert from when its condition was first seen until everybody who was told of it knows that it is over: an
 * episode. Identity is (instance, rule, resource); severity is an attribute. Times are milliseconds since the epoch.
 */
export interface Alert extends Finding {
  /** Given by the state when it is first stored; null before. */
  id: number | null;
  /**
   * pending: seen, and not for long enough yet; firing; recovering: not seen any more, and not for long enough yet;
   * resolved.
   */
  state: 'pending' | 'firing' | 'recovering' | 'resolved';
  /** First seen. */
  since: number;
  /** Last seen; of one that fires and stays as it is, up to ten minutes ago. */
  seen_at: number;
  /** When it began to fire; null while it is pending, and for one that never did. */
  fired_at: number | null;
  /** When a recovering one was first not seen. */
  cleared_at: number | null;
  resolved_at: number | null;
  /** Why it is over. */
  resolution: 'cleared' | 'unwatched' | null;
  /** Since when nobody can tell whether it still is so. */
  unknown_since: number | null;
  /** When it began and ceased to fire within the last hour, from earlier episodes too. */
  flips: number[];
  /** Since when it comes and goes so often that only this is told. */
  flapping_since: number | null;
  ack: Acknowledgement | null;
  told: Told[];
  /** Nobody has to be told anything more. */
  settled_at: number | null;
}

export interface Acknowledgement {
  by: string;
  at: number;
  /** It counts until the severity exceeds this. */
  severity: Severity;
}

/** What one channel was last told of an alert. */
export interface Told {
  channel: string;
  severity: Severity;
  at: number;
  flapping: boolean;
  resolved: boolean;
}

/** Holds back what it matches until it ends. */
export interface Silence {
  id: number;
  /** What it matches; every part that is there has to. `*` in rule and resource stands for anything. */
  match: SilenceMatch;
  from: number;
  until: number;
  author: string;
  why: string;
}

export interface SilenceMatch {
  alert?: number;
  instance?: string;
  rule?: string;
  resource?: string;
}

/** What a channel was last told of one instance. */
export interface AlertGroup {
  channel: string;
  instance: string;
  /** Names the thread of messages: anew when it begins after everything was over. */
  thread: string;
  /** What the thread began with, for subjects that stay the same: `backup-failed`, `backup-failed and 2 more`. */
  title: string;
  /** When the last notice was made. */
  last_at: number;
}

/** What is new about an alert in a notice. */
export type AlertChange =
  | 'fired'
  | 'raised'
  /** Still so: told again. */
  | 'repeated'
  /** Still so, and named because something else is told. */
  | 'open'
  | 'flapping'
  | 'resolved'
  /** Fired and over before anybody could be told. */
  | 'passed';

/** An alert as a notice tells it: a copy, since the alert goes on. */
export interface NoticeItem extends Finding {
  episode: number;
  change: AlertChange;
  since: number;
  fired_at: number;
  resolved_at: number | null;
  resolution: Alert['resolution'];
  acknowledged: boolean;
  /** Nobody acknowledged it, so this channel hears of it too. */
  escalated: boolean;
  /** How often it came and went within the last hour; 0 unless it is flapping. */
  flips: number;
}

/** What one channel is to tell: one message about one instance, or a digest about all. */
export interface Notice {
  /** The same for the same content, whoever makes it again after a crash. */
  key: string;
  kind: 'alerts' | 'digest' | 'test' | 'report';
  channel: string;
  /** '' for a digest and for a report of several. */
  instance: string;
  thread: string;
  title: string;
  at: number;
  /** The worst first. */
  items: NoticeItem[];
  /** Further ones that are left out here. */
  more: number;
  /** What it says where it is a report, which has no items. */
  report?: ReportNotice;
}

/** A report in short; the whole of it goes along as files. All texts may come from outside. */
export interface ReportNotice {
  title: string;
  subtitle: string;
  /** What is worst; null: all is well. */
  severity: Severity | null;
  headline: string;
  points: { text: string; advice: string | null }[];
  /** What was measured: a line of figures each. */
  figures: { name: string; values: { label: string; value: string }[] }[];
  files: { name: string; what: string }[];
}

/** What goes along with a notice; kept apart, since it is large. */
export interface NoticeFile {
  name: string;
  /** A MIME type. */
  type: string;
  content: Uint8Array;
}
