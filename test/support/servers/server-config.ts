import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import type { ServerBuild } from './server-builds.ts';

/** Lines of redis.conf by name; an array repeats the directive. */
export type Directives = Record<string, string | string[]>;

/** The text of redis.conf. */
export function renderDirectives(directives: Directives): string {
  const lines = Object.entries(directives).flatMap(([name, value]) =>
    [value].flat().map((text) => `${name} ${text === '' ? '""' : text}\n`),
  );
  return lines.join('');
}

/** Loopback only, all files in `dir`, nothing saved unless asked. */
export function defaultDirectives(build: ServerBuild, dir: string, port: number): Directives {
  return {
    bind: '127.0.0.1',
    port: String(port),
    unixsocket: join(dir, 'redis.sock'),
    unixsocketperm: '700',
    dir,
    logfile: join(dir, 'redis.log'),
    pidfile: '',
    daemonize: 'no',
    save: '',
    // DEBUG needs this since Redis 7.0, where the directive is new.
    ...(Number.parseInt(build.version, 10) >= 7 ? { 'enable-debug-command': 'local' } : {}),
  };
}

/** Client certificates are accepted and not asked for. */
export function tlsDirectives(tls: (Certificates & { port: number }) | undefined): Directives {
  if (tls === undefined) return {};
  return {
    'tls-port': String(tls.port),
    'tls-ca-cert-file': tls.ca,
    'tls-cert-file': tls.cert,
    'tls-key-file': tls.key,
    'tls-auth-clients': 'optional',
  };
}
