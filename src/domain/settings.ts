import type { AlertSettings } from './settings/alerts.ts';
import type { AofSettings } from './settings/aof.ts';
import type { AuditSettings } from './settings/audit.ts';
import type { BackupSettings } from './settings/backup.ts';
import type { DrillSettings } from './settings/drill.ts';
import type { HardenSettings } from './settings/harden.ts';
import type { InstanceSettings } from './settings/instances.ts';
import type { MaintenanceSettings } from './settings/maintenance.ts';
import type { ListenSettings } from './settings/listen.ts';
import type { MonitorSettings } from './settings/monitor.ts';
import type { ReportSettings } from './settings/report.ts';
import type { RepositorySettings } from './settings/repository.ts';
import type { StateSettings } from './settings/state.ts';
import type { VerifySettings } from './settings/verify.ts';

export type * from './settings/backup.ts';
export type * from './settings/instances.ts';
export type * from './settings/repository.ts';

/**
 * The validated configuration, as plain data: config/ makes it from YAML, everything else reads it. Keys are those of
 * config.yaml, a file in settings/ for each section. Durations are milliseconds, sizes bytes. No secret is in here.
 */
export interface Settings {
  instances: InstanceSettings[];
  repository: RepositorySettings;
  backup: BackupSettings;
  verify: VerifySettings;
  drill: DrillSettings;
  aof: AofSettings;
  maintenance: MaintenanceSettings;
  audit: AuditSettings;
  harden: HardenSettings;
  monitor: MonitorSettings;
  alerts: AlertSettings;
  /** No report is sent by itself when left out. */
  report?: ReportSettings | undefined;
  state: StateSettings;
  /** Nothing is served when left out. */
  listen?: ListenSettings | undefined;
  /** IANA zone for schedules and for times shown to people; the host's own when left out. */
  timezone?: string | undefined;
}
