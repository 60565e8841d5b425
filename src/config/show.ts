import { stringify } from 'yaml';
import type { BackupSettings, RepositorySettings, Settings } from '../domain/settings.ts';
import { writeDuration } from '../lib/duration.ts';

/**
 * The settings as the configuration file would have them, defaults filled in: what `config show` prints. Secrets are
 * references here (`{ file: … }`) and stay that; none is read.
 */
export function showSettings(settings: Settings): Record<string, unknown> {
  const { instances, repository, backup, verify, drill, aof, state, timezone } = settings;
  return withoutUndefined({
    instances,
    repository: showRepository(repository),
    backup: showBackup(backup),
    verify: { ...verify, schedule: verify.schedule ?? 'off' },
    drill: {
      schedule: drill.schedule ?? 'off',
      overdue_after: drill.overdue_after === null ? undefined : writeDuration(drill.overdue_after),
    },
    aof: { schedule: aof.schedule ?? 'off' },
    state,
    timezone,
  });
}

/** showSettings as YAML: loading it gives the same settings. */
export function showSettingsYaml(settings: Settings): string {
  return stringify(showSettings(settings), { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false });
}

function showRepository(repository: RepositorySettings): Record<string, unknown> {
  if (repository.type === 'filesystem') return { ...repository };
  const { object_lock: lock, ...rest } = repository;
  if (lock === undefined) return rest;
  return { ...rest, object_lock_days: lock.days, object_lock_mode: lock.mode.toLowerCase() };
}

function showBackup(backup: BackupSettings): Record<string, unknown> {
  return {
    ...backup,
    schedule: backup.schedule ?? 'off',
    jitter: writeDuration(backup.jitter),
    stale_after: writeDuration(backup.stale_after),
    snapshot_timeout: writeDuration(backup.snapshot_timeout),
  };
}

function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object in, an object out
  return JSON.parse(text) as Record<string, unknown>;
}
