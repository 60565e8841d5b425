import { printable } from '../../lib/text/printable.ts';
import { refusalOf } from './answer-kinds.ts';
import type { Pipe } from '../../redis/pipe/pipe.ts';
import { PipeError } from '../../redis/pipe/reply-parser.ts';

/** What became of the function libraries of a dump. */
export interface FunctionCounts {
  loaded: number;
  /** There already, and left as they are. */
  existing: number;
  failed: string[];
}

/** Code that is held until the keys are written. Bytes. */
const mostCode = 64 * 1024 * 1024;

/** Takes the function libraries of a dump, and loads them into the target; of a cluster into every master. */
export class FunctionLoader {
  readonly counts: FunctionCounts = { loaded: 0, existing: 0, failed: [] };
  readonly #libraries: Buffer[] = [];
  #bytes = 0;

  /** One library's code; `bytes`: how long it is, of which `code` may be the start. Does not keep `code`. */
  add(code: Uint8Array, bytes: number): void {
    this.#bytes += bytes;
    if (code.length < bytes || this.#bytes > mostCode)
      this.counts.failed.push(`${nameOf(code)}: its code is too long (${bytes} bytes)`);
    else this.#libraries.push(Buffer.from(code));
  }

  /** What to do with one that is there already; `stop`: it is not loaded, which is a failure. */
  async load(pipes: readonly Pipe[], existing: 'stop' | 'replace' | 'skip'): Promise<void> {
    const replace = existing === 'replace' ? ['REPLACE'] : [];
    for (const code of this.#libraries.splice(0)) {
      const outcomes = new Set<'loaded' | 'existing' | 'failed'>();
      for (const pipe of pipes) {
        const reply = await pipe.ask('FUNCTION', 'LOAD', ...replace, code);
        if (!(reply instanceof PipeError)) outcomes.add('loaded');
        else if (/already exists/.test(reply.text) && existing === 'skip') outcomes.add('existing');
        else {
          outcomes.add('failed');
          const where = pipes.length > 1 ? ` at ${pipe.target.name}` : '';
          this.counts.failed.push(`${nameOf(code)}${where}: ${refusalOf(reply)}`);
        }
      }
      // Of a cluster: loaded where any node lacked it.
      if (outcomes.has('failed')) continue;
      this.counts[outcomes.has('loaded') ? 'loaded' : 'existing']++;
    }
  }
}

/** `#!lua name=mylib` is the first line. */
function nameOf(code: Uint8Array): string {
  const line = Buffer.from(code.subarray(0, 256)).toString('utf8').split('\n')[0] ?? '';
  return printable(/name=(\S+)/.exec(line)?.[1] ?? 'a library');
}
