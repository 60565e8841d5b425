import { Note } from './note.ts';

/** Of another form of this file nothing is believed: 1 did not look for administrative commands. */
const form = 2;

interface Noted {
  form: number;
  files: unknown;
}

/**
 * What earlier runs have verified of an instance's AOF, as they noted it; undefined where nothing was noted or it cannot
 * be read: then everything is read anew, which is only slower.
 */
export function readAofProgress(directory: string, instance: string): unknown {
  return noteOf(directory, instance).readIfSound()?.files;
}

/** Throws a system error. */
export function writeAofProgress(directory: string, instance: string, files: unknown): void {
  noteOf(directory, instance).write({ form, files });
}

function noteOf(directory: string, instance: string): Note<Noted> {
  return new Note(directory, `aof/${instance}.json`, (value) => {
    if (typeof value !== 'object' || value === null || !('form' in value) || !('files' in value))
      throw new Error('it is incomplete');
    if (value.form !== form) throw new Error('it is of another form');
    return { form, files: value.files };
  });
}
