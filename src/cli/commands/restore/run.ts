import type { App } from '../../../app/build-app.ts';
import type { Choice } from '../../../backup/restore/choose-method.ts';
import type { InstanceSettings } from '../../../domain/settings.ts';

/** Why the other method was not taken; null where there is no other. */
export type WhyNot = Choice['why_not'] | null;

/** Where a restore runs, and the guards that are insisted on. */
export interface RestoreTarget {
  app: App;
  instance: InstanceSettings;
  allow: readonly string[];
}
