import { artefactNames, plainNames, type Manifest } from '../domain/backup.ts';
import { parseDrillMark } from './drill-mark.ts';
import { parseMark } from './verification-mark.ts';

export const manifestName = 'manifest.json';
export const acceptedName = 'accepted.json';
export const keyspaceName = 'keys.json';
export const configNames = ['config.json', 'config.json.age'] as const;

/** What the agent writes for a backup, besides the marks of verifications and drills. */
export const ownNames: readonly string[] = [
  manifestName,
  acceptedName,
  keyspaceName,
  ...configNames,
  ...artefactNames,
];

/** By its name alone. */
export function mayBeOurs(name: string): boolean {
  return ownNames.includes(name) || (parseMark(name) ?? parseDrillMark(name)) !== undefined;
}

/**
 * Those of the names below one id that are the agent's. `manifest` is undefined where there is none, or none that can be
 * read: then a file that another one beside it decodes to is somebody's who did that by hand, and so is left alone.
 */
export function namesOfOurs(names: readonly string[], manifest: Manifest | undefined): string[] {
  return names.filter((name) => {
    if (!isArtefact(name)) return mayBeOurs(name);
    if (manifest !== undefined) return manifest.artefacts.some((artefact) => artefact.name === name);
    return !names.some((other) => isArtefact(other) && other.startsWith(`${name}.`));
  });
}

/**
 * Is what lies below the id of an incomplete backup somebody's, decoded by hand beside a backup that has gone since? An
 * interrupted backup is newer than any whole one, and one whose removal was interrupted has marks left.
 */
export function isSomebodys(id: string, keys: readonly string[], newestWhole: string): boolean {
  const plain = Object.values(plainNames);
  return id < newestWhole && keys.every((key) => plain.some((name) => key.endsWith(`/${name}`)));
}

function isArtefact(name: string): boolean {
  return artefactNames.some((each) => each === name);
}
