import type { BackupEntry } from '../../../backup/repository.ts';
import { backupIdTime } from '../../../backup/id.ts';
import { inTheClear, preRestore, type BackupKind, type VerificationLevel } from '../../../domain/backup.ts';
import { countKeys } from '../../../jobs/backup/backup.ts';
import { shrunkenOf } from '../../../jobs/backup/judge-shrinkage.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { gatherFleet, type FleetHost } from '../../../app/report/gather-fleet.ts';
import { defineCommand } from '../../define-command.ts';
import type { Style } from '../../render/style.ts';
import { renderFleet } from '../../render/fleet.ts';
import { renderTable } from '../../render/table.ts';
import { formatAge, formatTime } from '../../render/time.ts';

interface ListedBackup {
  id: string;
  taken_at: string | null;
  state: BackupEntry['state'];
  /** null when its manifest cannot be read. */
  kind: BackupKind | null;
  /** `pre-restore`: what a live restore replaced. */
  purpose: string | null;
  /** Suspiciously smaller than the good one before it. */
  shrunken: boolean;
  keys: number | null;
  plain_bytes: number | null;
  stored_bytes: number;
  encrypted: boolean | null;
  /** Encryption is configured, and this one is not encrypted. */
  downgraded: boolean;
  server: string | null;
  /** The newest proof. */
  verified: { level: VerificationLevel; ok: boolean; at: string } | null;
  problem: string | null;
}

interface BackupList {
  instance: string;
  repository: string;
  timezone: string | undefined;
  /** Newest first. */
  backups: ListedBackup[];
  foreign: string[];
  /** So many more, whose keys are not listed. */
  foreign_more: number;
}

type Listed = BackupList | { repository: string; fleet: FleetHost[] };

export const backupsListCommand = defineCommand<{ fleet: boolean }, Listed>({
  usage: 'backups list',
  summary: 'What the repository holds, newest first',
  options: (yargs) =>
    yargs.option('fleet', {
      type: 'boolean',
      default: false,
      describe:
        'Every instance of every host that writes to the repository: which are stale, unproven, unaudited',
    }),
  async run(context, { fleet }) {
    const app = await context.app();
    if (fleet) {
      const { hosts, repository } = await gatherFleet(app, context.signal);
      return { repository, fleet: hosts };
    }
    const instance = app.instance(context.globals.instance);
    const repository = await app.repository(instance);
    const { backups, foreign, foreignMore } = await repository.list(context.signal);
    const encrypts = app.settings.repository.encryption.age_recipients.length > 0;
    const shrunken = shrunkenOf(backups, app.settings.backup.shrink_alert);
    return {
      instance: instance.name,
      repository: repository.store.description,
      timezone: app.settings.timezone,
      backups: backups.toReversed().map((entry) => {
        const summary = summarize(entry);
        const downgraded = encrypts && summary.encrypted === false;
        return { ...summary, downgraded, shrunken: shrunken.has(entry.id) };
      }),
      foreign,
      foreign_more: foreignMore,
    };
  },
  render(listed, { style, now }) {
    if ('fleet' in listed) return renderFleet(listed.fleet, style, now);
    const { instance, repository, timezone, backups, foreign, foreign_more: more } = listed;
    if (backups.length === 0)
      return `No backup of ${instance} in ${repository} yet; take one: redis-agent backup; if it had another name before: redis-agent backups list --fleet${describeForeign(foreign.length + more)}`;
    const table = renderTable(
      [
        { title: 'ID' },
        { title: 'TAKEN' },
        { title: '' },
        { title: 'OF' },
        { title: 'KEYS', align: 'right' },
        { title: 'STORED', align: 'right' },
        { title: 'PROOF' },
      ],
      backups.map((backup) => {
        const at = Date.parse(backup.taken_at ?? '');
        return [
          backup.id,
          Number.isNaN(at) ? '' : formatTime(at, timezone).slice(0, 16),
          { text: Number.isNaN(at) ? '' : formatAge(at, now), paint: style.faint },
          backup.purpose === preRestore ? 'before restore' : (backup.kind ?? ''),
          backup.keys === null ? '' : String(backup.keys),
          formatBytes(backup.stored_bytes),
          describeState(backup, style),
        ];
      }),
    );
    return table + describeForeign(foreign.length + more);
  },
});

function summarize(entry: BackupEntry): Omit<ListedBackup, 'shrunken' | 'downgraded'> {
  const time = backupIdTime(entry.id);
  const manifest = entry.state === 'complete' ? entry.manifest : undefined;
  const last = entry.state === 'complete' ? entry.verifications.at(-1) : undefined;
  return {
    id: entry.id,
    taken_at: time === undefined ? null : new Date(time).toISOString(),
    state: entry.state,
    kind: manifest?.kind ?? null,
    purpose: manifest?.purpose ?? null,
    keys: manifest === undefined ? null : countKeys(manifest),
    plain_bytes: manifest?.artefacts[0]?.plain.bytes ?? null,
    stored_bytes: entry.objects.reduce((sum, { bytes }) => sum + bytes, 0),
    encrypted: manifest === undefined ? null : !inTheClear(manifest),
    server: manifest === undefined ? null : `${manifest.server.engine} ${manifest.server.version}`,
    verified:
      last === undefined
        ? manifest === undefined
          ? null
          : { level: manifest.verified.level, ok: manifest.verified.ok, at: manifest.verified.at }
        : { level: last.level, ok: last.ok, at: new Date(last.at).toISOString() },
    problem: 'problem' in entry ? entry.problem : null,
  };
}

function describeState(
  { state, verified, shrunken, downgraded, problem }: ListedBackup,
  style: Style,
): { text: string; paint: (text: string) => string } {
  if (state === 'damaged') return { text: `damaged: ${problem}`, paint: style.bad };
  if (state !== 'complete') return { text: state, paint: style.warning };
  if (verified?.ok === false) return { text: 'damaged', paint: style.bad };
  const level = verified?.level ?? 'written';
  if (shrunken || downgraded) {
    const flaws = [...(shrunken ? ['shrunken'] : []), ...(downgraded ? ['not encrypted'] : [])];
    return { text: [level, ...flaws].join(', '), paint: style.bad };
  }
  return { text: level, paint: level === 'written' ? style.warning : style.good };
}

function describeForeign(count: number): string {
  return count === 0 ? '' : `\n${count} foreign objects below the prefix are left alone`;
}
