/** What a change may bring about, for whoever says yes. */
const risks: Readonly<Record<string, string>> = {
  appendonly:
    'one fork, and the whole data set is written once; the disk needs room for it. Afterwards one fsync a second',
  maxmemory: 'what happens when it is reached is up to maxmemory-policy',
  'maxmemory-policy': 'counts from the moment that memory is used up',
  bind: 'clients that connect by another address are refused; connections that are open stay',
  'protected-mode': 'clients from elsewhere without a password are refused',
  timeout: 'idle connections are closed; clients that do not connect again by themselves notice',
  save: 'a fork at each of these points',
  'stop-writes-on-bgsave-error': 'writes are refused while saving fails',
  'tcp-backlog': 'none but the restart',
  'acl-pubsub-default': 'users that are made from now on reach no channel by themselves',
  'enable-debug-command': 'what uses DEBUG is refused',
  'enable-module-command': 'MODULE LOAD is refused; loadmodule lines go on',
  port: 'clients of the plain port are refused',
  'tls-port': 'none: another port beside those that are there',
  'tls-auth-clients': 'TLS clients without a certificate are refused',
};

export function riskOf(directive: string): string {
  return risks[directive] ?? 'none known';
}
