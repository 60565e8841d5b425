import type { Settings } from '../../domain/settings.ts';
import { alertsSection } from './alerts.ts';
import { aofSection } from './aof.ts';
import { auditSection } from './audit.ts';
import { backupSection } from './backup.ts';
import { drillSection } from './drill.ts';
import { hardenSection } from './harden.ts';
import { instancesSection } from './instances.ts';
import { maintenanceSection } from './maintenance.ts';
import { listenSection } from './listen.ts';
import { monitorSection } from './monitor.ts';
import { reportSection } from './report.ts';
import { repositorySection } from './repository.ts';
import type { Section } from './section.ts';
import { stateSection } from './state.ts';
import { timezoneSection } from './timezone.ts';
import { verifySection } from './verify.ts';

/** Every section, in the order of conf/config.example.yaml. */
export const sections: { readonly [Name in keyof Required<Settings>]: Section<Settings[Name]> } = {
  instances: instancesSection,
  repository: repositorySection,
  backup: backupSection,
  verify: verifySection,
  drill: drillSection,
  aof: aofSection,
  maintenance: maintenanceSection,
  audit: auditSection,
  harden: hardenSection,
  monitor: monitorSection,
  alerts: alertsSection,
  report: reportSection,
  state: stateSection,
  listen: listenSection,
  timezone: timezoneSection,
};
