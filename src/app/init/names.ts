import type { Engine } from '../../domain/backup.ts';

/**
 * Names for instances, in order: `main` for the only one, else `redis-6379`, `redis-redis-cache` (the socket's name),
 * with a number behind where that is taken. All are valid in the configuration (letters, digits, - and _, at most 63).
 */
export function nameInstances(servers: readonly { url: string; engine: Engine | undefined }[]): string[] {
  if (servers.length === 1) return ['main'];
  const names: string[] = [];
  for (const { url, engine } of servers) {
    const base = `${engine ?? 'redis'}-${endOf(url)}`.slice(0, 58).replace(/[-_]+$/, '');
    let name = base;
    for (let number = 2; names.includes(name); number++) name = `${base}-${number}`;
    names.push(name);
  }
  return names;
}

function endOf(url: string): string {
  const { protocol, port, pathname } = new URL(url);
  if (protocol !== 'unix:') return port || '6379';
  const file = pathname.slice(pathname.lastIndexOf('/') + 1).replace(/\.sock(et)?$/, '');
  return (
    file
      .toLowerCase()
      .replace(/^(redis|valkey)[-_.]/, '')
      .replaceAll(/[^a-z0-9_-]+/g, '-')
      .replaceAll(/^[-_]+|[-_]+$/g, '') || 'socket'
  );
}
