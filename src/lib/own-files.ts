import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AgentError } from '../domain/errors.ts';

/** A folder of this program's own data, such as `conf/policies`: of a checkout and of a build it lies above this file. */
export function ownFolder(name: string): string {
  const places = [import.meta.dirname];
  for (let up = 0; up < 3; up++) places.push(dirname(places.at(-1) ?? '/'));
  const found = places.map((place) => join(place, name)).find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new AgentError('failed', `${name}, which belongs to this program, is not beside it`, {
    hint: 'install it again',
  });
}
