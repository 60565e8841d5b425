import { stringify } from 'yaml';
import type { Settings } from '../domain/settings.ts';
import { sections } from './sections/index.ts';
import type { Section } from './sections/section.ts';

/**
 * The settings as the configuration file would have them, defaults filled in: what `config show` prints. Secrets are
 * references here (`{ file: … }`) and stay that; none is read.
 */
export function showSettings(settings: Settings): Record<string, unknown> {
  return withoutUndefined(
    Object.fromEntries(
      Object.entries(sections).map(([name, section]) => [name, shown(section, settings, name)]),
    ),
  );
}

/** showSettings as YAML: loading it gives the same settings. */
export function showSettingsYaml(settings: Settings): string {
  return stringify(showSettings(settings), { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false });
}

function shown(section: Pick<Section<never>, 'show'>, settings: Settings, name: string): unknown {
  const value: unknown = Reflect.get(settings, name);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the section of this name made it
  return section.show === undefined ? value : section.show(value as never);
}

function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object in, an object out
  return JSON.parse(text) as Record<string, unknown>;
}
