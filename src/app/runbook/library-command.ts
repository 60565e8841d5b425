import type { QueueRef } from '../../domain/queue.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { shellWord } from '../../lib/process/shell-word.ts';

/** What is done to a queue by the library that it is of: how it keeps its jobs is that library's own, and another in each version. */
export type QueueAction = 'resume' | 'retry failed';

/** How the libraries call it. */
const calls: Record<'bullmq' | 'bull', Record<QueueAction, string>> = {
  bullmq: { resume: 'q.resume()', 'retry failed': 'q.retryJobs({state:"failed"})' },
  bull: {
    resume: 'q.resume()',
    'retry failed': 'q.getFailed().then(jobs=>Promise.all(jobs.map(job=>job.retry())))',
  },
};

/** What is said beside such a command. */
export const inItsFolder =
  'in the application’s folder, by its own library; REDIS_USERNAME and REDISCLI_AUTH where it logs in';

/** A command line for the application's folder; undefined for what is no library's. */
export function libraryCommand(
  { url }: Pick<InstanceSettings, 'url'>,
  { kind, name, prefix, db }: QueueRef,
  action: QueueAction,
): string | undefined {
  if (kind !== 'bullmq' && kind !== 'bull') return undefined;
  const at = `{${[...endpointOf(url), `db:${db}`, 'username:process.env.REDIS_USERNAME', 'password:process.env.REDISCLI_AUTH'].join(',')}}`;
  const [library, option] =
    kind === 'bullmq' ? ['require("bullmq").Queue', 'connection'] : ['require("bull")', 'redis'];
  const queue = `new (${library})(${literal(name)},{prefix:${literal(prefix)},${option}:${at}})`;
  return `node -e ${shellWord(`const q=${queue};${calls[kind][action]}.finally(()=>q.close())`)}`;
}

function endpointOf(url: string): string[] {
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol === 'unix:') return [`path:${literal(decodeURIComponent(pathname))}`];
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return [
    `host:${literal(host)}`,
    `port:${port === '' ? 6379 : port}`,
    ...(protocol === 'rediss:' ? ['tls:{}'] : []),
  ];
}

/** Names come from the server: whatever they hold stays within its quotes, and on one line. */
function literal(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^\x20-\x7e]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
