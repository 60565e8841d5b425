import { footerBytes, PayloadFooter } from '../../formats/rdb/dump-payload.ts';
import { moduleOf } from '../../formats/rdb/module-name.ts';
import type { RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import { encodedArgument } from '../../redis/pipe/command-writer.ts';
import type { Pipe } from '../../redis/pipe/pipe.ts';
import { PipeError, type PipeReply } from '../../redis/pipe/reply-parser.ts';
import { kind, refusalOf, tagOf } from './answer-kinds.ts';
import { isElsewhere } from './moved-keys.ts';
import { Tally } from './tally.ts';

/** Keys of one module, as they were counted, and what the target says of the first of them. */
export interface ModuleKeys {
  tally: Tally;
  reason: string;
  /** Of each database. */
  databases: Map<number, { keys: number; bytes: number }>;
  memory: number;
}

const absolute = encodedArgument('ABSTTL');
const wordBytes = 96;

/** Why a target that lacks it does not take a module's value. */
export function lacksModule(name: string): string {
  return `the server refuses it: it lacks the module ${name}, or has an older one`;
}

/**
 * Tries the first value of each module on the target, with a time that is over: it is checked like any other, and leaves
 * nothing behind. So it shows before anything is written which of them it does not take.
 */
export class ModuleSurvey {
  readonly #pipe: Pipe | undefined;
  readonly #words: Uint8Array[];
  readonly #footer = new PayloadFooter();
  readonly #modules = new Map<string, ModuleKeys>();
  readonly #refused = new Set<string>();
  readonly #asked: string[] = [];
  version = 0;

  constructor(pipe: Pipe | undefined, probeKey: string) {
    this.#pipe = pipe;
    this.#words = ['RESTORE', probeKey, '1'].map(encodedArgument);
  }

  count(record: RdbRecord, raw: Uint8Array, memory: number): void {
    const { database, valueBytes, bytes, keyFrom, keyTo } = record;
    const name = moduleOf(raw);
    let module = this.#modules.get(name);
    if (module === undefined) {
      module = { tally: new Tally(), reason: lacksModule(name), databases: new Map(), memory: 0 };
      this.#modules.set(name, module);
      this.#ask(name, record, raw);
    }
    module.tally.fail(name, bytes.subarray(keyFrom, keyTo));
    const amount = module.databases.get(database) ?? { keys: 0, bytes: 0 };
    module.databases.set(database, { keys: amount.keys + 1, bytes: amount.bytes + valueBytes });
    module.memory += memory;
  }

  answer(reply: PipeReply): void {
    const name = this.#asked.shift();
    const module = name === undefined ? undefined : this.#modules.get(name);
    if (name === undefined || module === undefined || !(reply instanceof PipeError)) return;
    // The name of the probe may be out of bounds for the user, and the keys are not: each one's own answer tells.
    if (reply.code === 'NOPERM' || reply.code === 'BUSYKEY' || isElsewhere(reply)) return;
    this.#refused.add(name);
    if (!reply.text.startsWith('ERR Bad data format')) module.reason = refusalOf(reply);
  }

  /** Those that the target does not take; known when everything is answered. */
  refused(): ModuleKeys[] {
    return [...this.#refused].flatMap((name) => this.#modules.get(name) ?? []);
  }

  #ask(name: string, { type }: RdbRecord, raw: Uint8Array): void {
    if (this.#pipe === undefined) return;
    const { out } = this.#pipe;
    out.start(5, wordBytes + raw.length + footerBytes);
    for (const word of this.#words) out.literal(word);
    writePayload(out, this.#footer, this.version, type.code, raw);
    out.literal(absolute);
    this.#asked.push(name);
    this.#pipe.commit(tagOf(0, kind.module));
  }
}

/** What RESTORE takes of a value: its type, the value as in the file, and the footer. */
export function writePayload(
  out: Pipe['out'],
  footer: PayloadFooter,
  version: number,
  code: number,
  raw: Uint8Array,
): void {
  out.head(1 + raw.length + footerBytes);
  const from = out.at;
  out.bytes[out.at++] = code;
  out.raw(raw, 0, raw.length);
  footer.write(out.bytes, from, out.at, version);
  out.at += footerBytes;
  out.lineEnd();
}
