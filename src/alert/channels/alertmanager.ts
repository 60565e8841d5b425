import type { NoticeItem } from '../../domain/alert.ts';
import type { AlertmanagerChannelSettings } from '../../domain/settings/alerts.ts';
import { annotationsOf, isOver, labelsOf } from './alertmanager-payload.ts';
import type { Channel, ChannelTools } from './channel.ts';
import { failureOf, hostOf, jsonOf, request } from './http.ts';
import { iso } from './notice-document.ts';

/** Alertmanager forgets what is not told again by then: longer than the longest repeat. Milliseconds. */
const believed = 3 * 24 * 60 * 60 * 1000;

/** Posts to Alertmanager's v2 API, which routes, groups and silences by itself. */
export function openAlertmanager(settings: AlertmanagerChannelSettings, tools: ChannelTools): Channel {
  const { name, url, username, password } = settings;
  const secret = password && tools.secret(password, `password of the channel ${name}`);
  const what = `Alertmanager at ${hostOf(url)}`;
  const base = url.replace(/\/$/, '');
  const headers: Record<string, string> =
    secret === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${username ?? ''}:${secret.reveal()}`).toString('base64')}` };
  return {
    name,
    description: what,
    pace: 0,
    async send(notice, { signal }) {
      const body = notice.items.flatMap((item) => alertsOf(item, notice.at));
      const answer = await request({ url: `${base}/api/v2/alerts`, headers, body, signal, what });
      if (!answer.ok) return answer;
      return (
        failureOf(answer, what) ?? {
          ok: true,
          answer: `${what} took ${body.length} alert${body.length === 1 ? '' : 's'}`,
        }
      );
    },
    async check(signal) {
      const answer = await request({
        method: 'GET',
        url: `${base}/api/v2/status`,
        headers,
        signal,
        what,
        timeout: 10_000,
      });
      if (!answer.ok) return answer;
      const failure = failureOf(answer, what);
      if (failure !== undefined) return failure;
      const version: unknown = jsonOf(answer)['versionInfo'];
      const named: unknown =
        typeof version === 'object' && version !== null ? Reflect.get(version, 'version') : undefined;
      return {
        ok: true,
        detail: `${what}${typeof named === 'string' ? ` is version ${named}` : ' answers'}`,
      };
    },
    close() {},
  };

  /** Severity is a label there, so another severity is another alert: the earlier one is over. */
  function alertsOf(item: NoticeItem, at: number): unknown[] {
    const { host, publicUrl } = tools.context;
    const alert = (severity: NoticeItem['severity'], end: number): unknown => ({
      labels: labelsOf({ ...item, severity }, host),
      annotations: annotationsOf(item),
      startsAt: iso(item.fired_at),
      endsAt: iso(end),
      ...(publicUrl === undefined ? {} : { generatorURL: publicUrl }),
    });
    const others = (['warning', 'high', 'critical'] as const).filter((each) => each !== item.severity);
    const earlier =
      item.change === 'fired' || item.change === 'passed'
        ? []
        : others.map((each) => alert(each, Math.max(at, item.fired_at)));
    return [
      ...earlier,
      alert(item.severity, isOver(item) ? Math.max(item.resolved_at ?? at, item.fired_at) : at + believed),
    ];
  }
}
