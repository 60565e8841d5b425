import { counted } from '../../../lib/text/counted.ts';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readServer } from '../../../harden/read/read-server.ts';
import { findService } from '../../../redis/service/find-service.ts';
import { shellWord } from '../../../lib/process/shell-word.ts';
import { usersOfFiles } from '../users-of-files.ts';
import { cli, type NextStep, type Runbook, type Sight } from '../report.ts';

/** Modules that servers bring along. */
const builtIn = new Set(['vectorset', 'lua', 'ReJSON', 'search', 'timeseries', 'bf']);
/** Where a moved dump becomes code. */
const dangerousPlaces = /^\/(?:etc|root|var\/spool\/cron|home\/[^/]+\/\.ssh|usr|var\/www|srv\/www)(?:\/|$)/;
const expected = /^\/etc\/(?:redis|valkey)(?:\/|$)/;
const crontabs = ['/var/spool/cron', '/var/spool/cron/crontabs', '/etc/cron.d'];

export const compromisedRunbook: Runbook = async ({ connection, instance, failure, clock, signal }) => {
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  const redis = cli(instance);
  const crons = dumpsInCrontabs();
  for (const path of crons) {
    found.push({
      state: 'cause',
      text: `${path} holds a Redis dump: somebody made the server write a crontab`,
    });
    steps.push({
      why: 'keeps it as evidence, where cron does not run it',
      command: `mv ${shellWord(path)} /root/`,
      effect: 'changes',
    });
  }
  if (connection === undefined) {
    found.push({ state: 'unknown', text: failure?.message ?? 'it cannot be connected to' });
    return { applies: crons.length > 0, found, steps };
  }
  const { facts } = await readServer(connection, instance.username);
  for (const each of [facts.config, facts.users, facts.modules, facts.clients, facts.aclLog])
    if (each.missing !== undefined) found.push({ state: 'unknown', text: each.missing });
  const master = facts.info.get('master_host');
  if (facts.info.get('role') === 'slave' && master !== undefined) {
    found.push({
      state: 'cause',
      text: `it is a replica of ${master}:${facts.info.get('master_port') ?? '?'}: is that yours? Else its data is theirs`,
    });
    steps.push({
      why: 'if that is not your master',
      command: `${redis} REPLICAOF NO ONE`,
      effect: 'changes',
    });
  }
  const dir = facts.config.value?.get('dir') ?? '';
  const file = facts.config.value?.get('dbfilename') ?? '';
  if (
    (dangerousPlaces.test(dir) && !expected.test(dir)) ||
    /\.(?:so|php|jsp|sh)$|^authorized_keys$|^root$/.test(file)
  ) {
    found.push({ state: 'cause', text: `its next save writes ${join(dir, file)}` });
    steps.push({
      why: 'until it is restarted with its own files it saves nothing there',
      command: `${redis} CONFIG SET save ""`,
      effect: 'changes',
    });
  }
  for (const name of facts.modules.value ?? []) {
    if (builtIn.has(name)) continue;
    found.push({ state: 'cause', text: `the module ${name} is loaded: is it yours?` });
    steps.push({
      why: `if it is not`,
      command: `${redis} MODULE UNLOAD ${shellWord(name)}`,
      effect: 'changes',
    });
  }
  const service = await findService(instance, undefined, { clock, signal }).catch(() => undefined);
  const files = usersOfFiles(service);
  for (const { user } of facts.users.value ?? []) {
    const known = files?.users.some((each) => each.user.name === user.name);
    if (known === false) {
      found.push({
        state: 'cause',
        text: `the user ${user.name} is in none of its files${user.own.allCommands && user.own.allKeys ? ', and may do everything' : ''}: somebody made it at run time`,
      });
      steps.push({
        why: 'if nobody of you did',
        command: `${redis} ACL DELUSER ${shellWord(user.name)}`,
        effect: 'loses',
      });
    }
    if (user.enabled && user.noPassword)
      found.push({ state: 'cause', text: `${user.name} needs no password: that is how they come in` });
  }
  if (files === undefined)
    found.push({
      state: 'unknown',
      text: 'which users are in its files: service: of the instance says how it is started',
    });
  const denied = (facts.aclLog.value ?? []).reduce((sum, { count }) => sum + count, 0);
  if (denied > 0)
    found.push({
      state: 'note',
      text: `${counted(denied, 'refusal')} in ACL LOG: redis-agent audit --check ACL17`,
    });
  for (const [user, count] of facts.clients.value ?? [])
    found.push({ state: 'note', text: `${counted(count, 'connection')} as ${user}` });
  const applies = found.some(({ state, text }) => state === 'cause' && !text.includes('needs no password'));
  if (applies)
    steps.unshift({
      why: 'first keep what is there, as evidence and to go back to',
      command: 'redis-agent backup',
      effect: 'looks',
    });
  steps.push(
    { why: 'every way in, worst first', command: 'redis-agent audit', effect: 'looks' },
    { why: 'what has come in since the last good backup', command: 'redis-agent keys diff', effect: 'looks' },
    {
      why: 'for every user, once the host is clean',
      command: 'redis-agent rotate-password USER',
      effect: 'changes',
    },
  );
  return { applies, found, steps };
};

/** Crontabs that begin like a dump. */
function dumpsInCrontabs(): string[] {
  return crontabs.flatMap((folder) => {
    try {
      return readdirSync(folder)
        .map((name) => join(folder, name))
        .filter(
          (path) =>
            statSync(path).isFile() && readFileSync(path).subarray(0, 5).toString('latin1') === 'REDIS',
        );
    } catch {
      return [];
    }
  });
}
