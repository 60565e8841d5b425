import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../../domain/errors.ts';
import { Secret } from '../../../domain/secret.ts';
import type { LoggedRefusal } from '../../../harden/rotate/judge-refusals.ts';
import { replaceFile } from '../../../harden/apply/write-file.ts';
import { actAs, type UserId } from '../../../lib/process/act-as.ts';
import { readForeignSync } from '../../../lib/files/foreign-file.ts';

const largest = 1024 * 1024;

/** The way of a rotation. Each can be killed and run again. */
export const rotationSteps = [
  'begin',
  'migrate',
  'add',
  'keep',
  'hand-over',
  'replication',
  'sentinels',
  'wait',
  'by-hand',
  'refusals',
  'retire',
  'keep-new',
  'close',
  'verify',
] as const;
export type RotationStep = (typeof rotationSteps)[number];

/**
 * Steps that a run that goes on does again, which changes nothing where nothing was lost: a server that was started meanwhile
 * or somebody else may have taken back what is in its memory, and nobody can see whether a person has changed his file.
 */
const again: readonly RotationStep[] = ['add', 'keep', 'retire', 'keep-new'];

export function lastingOf({ done }: Pick<RotationJournal, 'done'>): RotationStep[] {
  return done.filter((step) => !again.includes(step));
}

/** What a run that goes on has to know. No secret is in here. */
export interface RotationJournal {
  version: 1;
  instance: string;
  user: string;
  /** ISO 8601. */
  started: string;
  nodes: string[];
  sentinels: string[];
  secretFiles: string[];
  hooks: string[];
  byHand: boolean;
  done: RotationStep[];
  /** By node: connections up to this id, of that run of the server, were opened with an old password. */
  marks: Record<string, { runId: string; id: number }>;
  /** By node: who had been refused before the old password went. */
  refusals?: Record<string, { runId: string; lines: LoggedRefusal[] }>;
}

/** Where a rotation that is under way is kept, for the user alone whose the state directory is. */
export class JournalFile {
  readonly #folder: string;
  readonly #base: string;
  readonly #owner: UserId;

  constructor(stateDirectory: string, instance: string, user: string) {
    const { uid, gid } = statSync(stateDirectory);
    this.#owner = { uid, gid };
    this.#folder = join(stateDirectory, 'rotations');
    this.#base = join(this.#folder, `${instance}-${Buffer.from(user).toString('hex')}`);
  }

  get path(): string {
    return `${this.#base}.json`;
  }

  read(): RotationJournal | undefined {
    const text = this.#readIfThere(this.path);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written below, for our own user alone
    return text === undefined ? undefined : (JSON.parse(text) as RotationJournal);
  }

  /** The new password: what it was, or a new one, which is kept before any server hears of it. */
  secret(isNew: boolean): Secret {
    const path = `${this.#base}.secret`;
    if (isNew) {
      const made = new Secret(randomBytes(32).toString('hex'));
      actAs(this.#owner, () => mkdirSync(this.#folder, { recursive: true, mode: 0o700 }));
      this.#write(path, made.reveal());
      return made;
    }
    const text = this.#readIfThere(path);
    if (text !== undefined) return new Secret(text);
    throw new AgentError('failed', `the new password of a rotation that is under way is gone: ${path}`, {
      hint: `remove ${this.#base}.json and begin again`,
    });
  }

  write(journal: RotationJournal): void {
    this.#write(`${this.#base}.json`, JSON.stringify(journal));
  }

  /** The journal goes first: a secret without one means nothing. */
  remove(): void {
    actAs(this.#owner, () => {
      rmSync(`${this.#base}.json`, { force: true });
      rmSync(`${this.#base}.secret`, { force: true });
    });
  }

  #write(path: string, text: string): void {
    replaceFile(path, Buffer.from(text), { mode: 0o600, ...this.#owner }, this.#owner);
  }

  #readIfThere(path: string): string | undefined {
    return actAs(this.#owner, () => (existsSync(path) ? readForeignSync(path, largest) : undefined));
  }
}
