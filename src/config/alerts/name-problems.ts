import { matches } from '../../alert/engine/match.ts';
import type { Settings } from '../../domain/settings.ts';
import { formerNames } from '../../domain/former-names.ts';
import { reportChannelTypes } from '../../domain/settings/report.ts';
import type { Problem } from '../problems.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { closest } from '../../lib/text/closest.ts';

/** What in `alerts:`, `report:` and the waivers of `audit:` names something that is not there. `rules`: every rule there is; not checked when left out. */
export function nameProblems(
  {
    alerts,
    audit,
    instances,
    listen,
    report,
  }: Pick<Settings, 'alerts' | 'audit' | 'instances' | 'listen' | 'report'>,
  rules?: readonly string[],
): Problem[] {
  const channels = alerts.channels.filter(({ type }) => type !== 'deadman').map(({ name }) => name);
  const names = instances.map(({ name }) => name);
  const problems: Problem[] = [];
  const unknown = (path: PropertyKey[], what: string, value: string, known: readonly string[]): void => {
    const near = closest(value, known);
    const hint =
      near === undefined
        ? known.length === 0
          ? 'there is none'
          : `known: ${known.slice(0, 12).join(', ')}`
        : `did you mean ${near}?`;
    problems.push({ path, atKey: false, message: `names ${what} that is not there; ${hint}` });
  };
  if (alerts.links !== null) {
    const add = (message: string): void =>
      void problems.push({ path: ['alerts', 'links'], atKey: false, message });
    if (alerts.public_url === undefined) add('needs alerts.public_url: where the links lead to');
    else if (!isSafeUrl(alerts.public_url))
      add('needs an alerts.public_url with https: on its way everybody could read and use a link');
    if (listen === undefined) add('needs listen: the daemon answers the links there');
  }
  const first = new Map<string, number>();
  for (const [index, { name }] of alerts.channels.entries()) {
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else
      problems.push({
        path: ['alerts', 'channels', index],
        atKey: false,
        message: `two channels are called ${name}; give each its own name`,
        other: ['alerts', 'channels', earlier],
      });
  }
  for (const [index, { match, to }] of alerts.routes.entries()) {
    const at = ['alerts', 'routes', index];
    if (
      match.rule !== undefined &&
      rules !== undefined &&
      !fits(match.rule, [...rules, ...formerNames.map(({ was }) => was)])
    )
      unknown([...at, 'match', 'rule'], 'a rule', match.rule, rules);
    if (match.instance !== undefined && !fits(match.instance, names))
      unknown([...at, 'match', 'instance'], 'an instance', match.instance, names);
    for (const [place, channel] of to.entries())
      if (!channels.includes(channel)) unknown([...at, 'to', place], 'a channel', channel, channels);
  }
  for (const [index, { to }] of alerts.escalation.entries())
    for (const [place, channel] of to.entries())
      if (!channels.includes(channel))
        unknown(['alerts', 'escalation', index, 'to', place], 'a channel', channel, channels);
  for (const [index, { instances: only = [] }] of alerts.windows.entries())
    for (const [place, instance] of only.entries())
      if (!names.includes(instance))
        unknown(['alerts', 'windows', index, 'instances', place], 'an instance', instance, names);
  const audited = rules?.filter((rule) => /^[A-Z]{3}\d{2}$/.test(rule));
  for (const [index, { rule }] of audit.waivers.entries())
    if (audited !== undefined && !audited.includes(rule))
      unknown(['audit', 'waivers', index, 'rule'], 'a rule', rule, audited);
  if (report !== undefined) {
    const takers = alerts.channels.filter(({ type }) => reportChannelTypes.includes(type));
    const able = takers.map(({ name }) => name);
    if (able.length === 0) {
      const message =
        'has nobody to send to: there is no channel of e-mail or Slack; add one below alerts.channels';
      problems.push({ path: ['report'], atKey: true, message });
    } else
      for (const [place, channel] of (report.to ?? []).entries())
        if (!able.includes(channel))
          unknown(['report', 'to', place], 'a channel of e-mail or Slack', channel, able);
  }
  return problems;
}

function fits(pattern: string, names: readonly string[]): boolean {
  return names.some((name) => matches(pattern, name));
}

function isSafeUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1')));
}
