import { atLeastVersion } from '../../../formats/conf/engine.ts';
import { infoInteger, infoKeyspace } from '../../../formats/info/parse-info.ts';
import {
  judgeLastWrites,
  lastWrites,
  lastWritesRule,
} from '../../../redis/seen-by-both/judge-last-writes.ts';
import { judgeReplay, replayDenialsIn, replayRule } from '../../../redis/seen-by-both/judge-replay.ts';
import { fileSetting, isYes, setting } from '../../facts.ts';
import { check, given, notHere, proofOf, setAndKeep, type Check } from '../check.ts';
import { sources } from '../sources.ts';

const nothingKept: Check = check(
  'PER01',
  {
    severity: 'critical',
    title: 'nothing is written to disk',
    why: 'Without save points and AOF a restart is the loss of all data.',
    source: sources.persistence,
  },
  (facts) =>
    given(setting(facts, 'save'), (save) =>
      given(setting(facts, 'appendonly'), (aof) => {
        if (save.value.replaceAll('"', '') !== '' || isYes(aof.value)) return [];
        if (facts.role === 'cache') return notHere('a cache may be empty after a restart');
        return [
          {
            resource: 'save',
            severity: facts.role === undefined ? 'high' : 'critical',
            summary:
              'neither save points nor an AOF: a restart loses everything since the last BGSAVE by hand',
            remedy: `${setAndKeep(facts, 'save', '3600 1 300 100 60 10000')}; or appendonly yes, at run time first`,
            effect: 'run time',
            proof: proofOf('save', save),
            place: save.place,
          },
        ];
      }),
    ),
);

const saveTraps: Check = check(
  'PER02',
  {
    severity: 'high',
    title: 'a save line that is passed over without a word (up to 6.2)',
    why: 'Before 7.0 a save line with more than two words is no error: it is ignored, and the default points are gone with it.',
    source: sources.persistence,
  },
  (facts) =>
    given(facts.files, ({ faults }) => {
      const { engine, version } = facts.engine;
      if (engine === 'valkey' || atLeastVersion(version, '7.0'))
        return notHere('from 7.0 on such a line is an error');
      return faults
        .filter(({ name, weight }) => name === 'save' && weight === 'trap')
        .map((fault) => ({
          resource: `${fault.file}:${fault.line}`,
          summary: `save: ${fault.message}`,
          remedy: 'write a line for each pair of seconds and changes, and nothing behind them',
          effect: 'file' as const,
          proof: 'the grammar, as probed',
          place: { file: fault.file, line: fault.line, column: fault.column },
        }));
    }),
);

const aofDiffers: Check = check(
  'PER03',
  {
    severity: 'critical',
    title: 'appendonly in the file is not what the server does',
    why: 'A server that is started with appendonly yes and finds no AOF reads no dump: it starts empty, and its next save overwrites the dump.',
    source: sources.persistence,
  },
  (facts) =>
    given(facts.server, () =>
      given(fileSetting(facts, 'appendonly'), (file) =>
        given(setting(facts, 'appendonly'), (now) => {
          if (isYes(file.value) === isYes(now.value)) return [];
          const empty = isYes(file.value);
          return [
            {
              resource: 'appendonly',
              severity: empty ? 'critical' : 'high',
              summary: empty
                ? 'the file says appendonly yes and the server runs without: the next start would be empty'
                : 'the server writes an AOF and the file does not say so: the next start would read an old dump or nothing',
              remedy: empty
                ? 'before anything restarts it: CONFIG SET appendonly yes, and wait for the rewrite'
                : 'write appendonly yes into the file',
              effect: empty ? 'run time' : 'file',
              proof: 'CONFIG GET appendonly, and read in the file',
              place: file.place,
            },
          ];
        }),
      ),
    ),
);

const lastWrite: Check = {
  rule: lastWritesRule,
  source: sources.persistence,
  judge: (facts) =>
    given(facts.server, ({ info }) => {
      const ok = (field: string): boolean | undefined => {
        const state = info.get(field);
        return state === undefined ? undefined : state === 'ok';
      };
      return judgeLastWrites({
        saveOk: ok(lastWrites.save),
        changes: infoInteger(info, 'rdb_changes_since_last_save'),
        aofEnabled: info.get('aof_enabled') === '1',
        rewriteOk: ok(lastWrites.rewrite),
        writeOk: ok(lastWrites.write),
        isCache: facts.role === 'cache',
      }).map((found) => ({ ...found, effect: 'host' as const, proof: 'INFO persistence' }));
    }),
};

const silent: Check = check(
  'PER05',
  {
    severity: 'warning',
    title: 'a failed save stops nobody',
    why: 'With stop-writes-on-bgsave-error no the server takes writes that it cannot keep.',
    source: sources.persistence,
  },
  (facts) =>
    given(setting(facts, 'stop-writes-on-bgsave-error'), (value) => {
      if (isYes(value.value)) return [];
      if (facts.role === 'cache') return notHere('a cache may go on');
      return [
        {
          resource: 'stop-writes-on-bgsave-error',
          summary: 'stop-writes-on-bgsave-error is no: writes go on after a save has failed',
          remedy: `${setAndKeep(facts, 'stop-writes-on-bgsave-error', 'yes')}, or be told by the agent's rule PER04`,
          effect: 'run time',
          proof: proofOf('stop-writes-on-bgsave-error', value),
          place: value.place,
        },
      ];
    }),
);

const fewerDatabases: Check = check(
  'PER06',
  {
    severity: 'high',
    title: 'fewer databases than are in use',
    why: 'A server that finds a database in its dump whose number it does not have ends while it loads.',
    source: sources.config,
  },
  (facts) =>
    given(facts.server, ({ info }) =>
      given(fileSetting(facts, 'databases'), (databases) => {
        const used = Math.max(-1, ...Object.keys(infoKeyspace(info)).map(Number));
        if (used < Number(databases.value)) return [];
        return [
          {
            resource: 'databases',
            summary: `the file says databases ${databases.value}, and database ${used} is in use: the next start would fail`,
            remedy: `write databases ${Math.max(16, used + 1)}`,
            effect: 'file',
            proof: 'INFO keyspace, and read in the file',
            place: databases.place,
          },
        ];
      }),
    ),
);

const droppedCommands: Check = {
  rule: replayRule,
  source: 'https://github.com/redis/redis/issues/14545',
  judge: (facts) =>
    given(facts.server, ({ info, aclLog, config }) => {
      if (info.get('aof_enabled') !== '1') return notHere('no AOF is written');
      if (info.get('role') !== 'master') return notHere('a replica takes its data from its master');
      const noperm = Number(/count=(\d+)/.exec(info.get('errorstat_NOPERM') ?? '')?.[1] ?? 0);
      const refused = infoInteger(info, 'unexpected_error_replies');
      // Before 6.2 the log alone tells.
      if (aclLog.value === undefined && (refused === undefined || (refused === 0 && noperm > 0)))
        return { missing: aclLog.missing ?? 'ACL LOG' };
      const found = judgeReplay({
        aofEnabled: true,
        master: true,
        refused: refused ?? 0,
        logged: replayDenialsIn(aclLog.value ?? []),
        noperm,
        rewrites: infoInteger(info, 'aof_rewrites') ?? 0,
        folder: config.value?.get('dir'),
        startedAt: facts.now - (infoInteger(info, 'uptime_in_seconds') ?? 0) * 1000,
        seenAt: facts.lastSeen.get(replayRule.id),
      });
      if (found === undefined) return { missing: 'statistics that nobody has zeroed (CONFIG RESETSTAT)' };
      return found.map((each) => ({
        ...each,
        effect: 'restart' as const,
        proof: 'INFO stats and ACL LOG',
      }));
    }),
};

export const perChecks: readonly Check[] = [
  nothingKept,
  saveTraps,
  aofDiffers,
  lastWrite,
  silent,
  fewerDatabases,
  droppedCommands,
];
