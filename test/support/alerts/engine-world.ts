import type { Alert, AlertGroup, Notice, Silence } from '../../../src/domain/alert.ts';
import type { Finding, Severity } from '../../../src/domain/finding.ts';
import { advance, type Advance } from '../../../src/alert/engine/advance.ts';
import type { OwnWork } from '../../../src/alert/engine/hold.ts';
import type { Timing } from '../../../src/alert/engine/event.ts';
import { flapSpan, observe, type RuleTimings } from '../../../src/alert/engine/observe.ts';
import type { AlertSettings } from '../../../src/domain/settings/alerts.ts';

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

export const timing: Timing = {
  wait: 30 * second,
  interval: 5 * minute,
  repeat: { critical: 4 * hour, high: 12 * hour, warning: day },
  giveUpAfter: day,
};

export function findingOf(rule: string, more: Partial<Finding> = {}): Finding {
  const instance = more.instance ?? 'main';
  return {
    instance,
    rule,
    resource: instance,
    severity: 'critical',
    summary: `${rule} is wrong`,
    remedy: 'mend it',
    evidence: {},
    ...more,
  };
}

/** The engine with its state in memory: what the daemon and the state database are to it. */
export class World {
  now = Date.parse('2026-11-21T12:00:00Z');
  alerts: Alert[] = [];
  groups: AlertGroup[] = [];
  silences: Silence[] = [];
  notices: Notice[] = [];
  rules: RuleTimings = new Map();
  channels: string[] = ['mail'];
  work: OwnWork[] = [];
  settings: Pick<AlertSettings, 'routes' | 'escalation' | 'windows'> = {
    routes: [],
    escalation: [],
    windows: [],
  };
  digest: { due: boolean } | null = null;
  timezone = 'UTC';
  #id = 0;

  /** An evaluation of `rules` that found `findings`. */
  see(rules: string[], findings: Finding[], unknown: string[] = [], instance = 'main'): void {
    const known = this.alerts.filter(
      ({ state, resolved_at: end }) => state !== 'resolved' || this.now - (end ?? 0) < flapSpan,
    );
    this.#store(
      observe(known, { instance, evaluated: [{ rules }], findings, unknown }, this.rules, this.now),
    );
  }

  /** Decides; the result is lost with the process when `crash` is said. */
  advance({ crash = false } = {}): Advance {
    const result = advance(
      {
        ...this.settings,
        alerts: this.alerts.filter(({ settled_at: settled }) => settled === null),
        groups: this.groups,
        silences: this.silences,
        channels: this.channels,
        work: this.work,
        rules: this.rules,
        timezone: this.timezone,
        timing,
        digest: this.digest === null ? null : { ...this.digest, ended: [] },
      },
      this.now,
    );
    if (crash) return result;
    this.#store(result.alerts);
    for (const group of result.groups) {
      this.groups = this.groups.filter(
        (each) => each.channel !== group.channel || each.instance !== group.instance,
      );
      this.groups.push(group);
    }
    this.notices.push(...result.notices);
    return result;
  }

  /** Time goes by, and whenever the engine asked to be woken it is. */
  pass(span: number): void {
    const end = this.now + span;
    for (let turns = 0; ; turns += 1) {
      const { next, alerts } = this.advance();
      if (next === null || next > end) break;
      if (turns > 10_000) throw new Error('the engine asks for ever');
      if (next <= this.now && alerts.length === 0) throw new Error('the engine asks again for nothing');
      this.now = Math.max(this.now, next);
    }
    this.now = end;
  }

  /** `mail main: fired disk (critical)` for each item, in order. */
  lines(): string[] {
    return this.notices.flatMap(({ channel, instance, items }) =>
      items.map(({ change, rule, severity }) => `${channel} ${instance}: ${change} ${rule} (${severity})`),
    );
  }

  #store(changed: readonly Alert[]): void {
    const stored = new Map(this.alerts.map((alert) => [alert.id, alert]));
    for (const alert of changed) {
      const id = alert.id ?? (this.#id += 1);
      stored.delete(id);
      if (alert.fired_at !== null || alert.state !== 'resolved') stored.set(id, { ...alert, id });
    }
    this.alerts = [...stored.values()];
  }
}

export const everySeverity: readonly Severity[] = ['info', 'warning', 'high', 'critical'];
