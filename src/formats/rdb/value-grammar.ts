import type { Layout, ValueType } from './value-types.ts';

/** What a value consists of, token by token. */
export const op = {
  /** The value ends. */
  end: 0,
  /** A string. */
  string: 1,
  /** A string that packs elements, which are counted. */
  packed: 2,
  /** A number that is stored like a length. */
  number: 3,
  /** Eight bytes, sixteen bytes. */
  bytes8: 4,
  bytes16: 5,
  /** A double as text: a length of one byte, of which 253 … 255 stand for NaN and the infinities. */
  text: 6,
  /** A count; what follows up to `next` comes so many times. */
  count: 7,
  /** The same, and the count is that of the elements. */
  elements: 8,
  next: 9,
  /** A number that is that of the elements. */
  size: 10,
  /** A quicklist node's container: 1 one plain string, 2 a packed one. */
  container: 11,
  /** The parts of a module's value, which say themselves what they are, up to their end mark. */
  module: 12,
} as const;

export type Grammar = readonly number[];

const repeated = (...tokens: number[]): number[] => [op.count, ...tokens, op.next];

function streamOf(revision: number): number[] {
  const newer = (from: number, ...tokens: number[]): number[] => (revision >= from ? tokens : []);
  const pending = repeated(op.bytes16, op.bytes8, op.number);
  const consumer = [op.string, op.bytes8, ...newer(3, op.bytes8), ...repeated(op.bytes16)];
  const id = [op.number, op.number];
  const group = [op.string, ...id, ...newer(2, op.number), ...pending, ...repeated(...consumer)];
  return [
    ...repeated(op.string, op.string),
    op.size,
    ...id,
    ...newer(2, ...id, ...id, op.number),
    ...repeated(...group),
  ];
}

function tokensOf({ layout, revision }: ValueType): number[] {
  // the released form of hashes with expiring fields begins with the earliest of their expiries
  const earliest = revision >= 2 ? [op.bytes8] : [];
  const tokens: Record<Layout, number[]> = {
    string: [op.string],
    strings: [op.elements, op.string, op.next],
    pairs: [op.elements, op.string, op.string, op.next],
    scored: [op.elements, op.string, op.bytes8, op.next],
    'scored-text': [op.elements, op.string, op.text, op.next],
    blob: [op.packed],
    blobs: repeated(op.packed),
    containers: repeated(op.container),
    'expiring-pairs': [...earliest, op.elements, op.number, op.string, op.string, op.next],
    'expiring-blob': [...earliest, op.packed],
    'pairs-expiring': [op.elements, op.string, op.string, op.bytes8, op.next],
    stream: streamOf(revision),
    module: [op.number, op.module],
  };
  return tokens[layout];
}

const known = new Map<ValueType, Grammar>();
/** Most keys have the type of the one before. */
let latest: { type: ValueType; grammar: Grammar } | undefined;

/** The tokens of a value of this type, up to `end`. */
export function grammarOf(type: ValueType): Grammar {
  if (latest?.type === type) return latest.grammar;
  let grammar = known.get(type);
  if (grammar === undefined) known.set(type, (grammar = [...tokensOf(type), op.end]));
  latest = { type, grammar };
  return grammar;
}

/** What follows opcodes that carry more than one number: read past like a value. */
export const sections = {
  /** A slot's number and what its database holds of it. */
  slotInfo: [op.number, op.number, op.number, op.end],
  /** A job's name and ranges of slots (Valkey). */
  slotImport: [op.string, ...repeated(op.number, op.number), op.end],
  /** Where the module saved it (an opcode and a number) and its parts; its id was read before. */
  moduleAux: [op.number, op.number, op.module, op.end],
  /** A library's name, its engine, a description if there is one, and its code. */
  earlyFunctions: [op.string, op.string, ...repeated(op.string), op.string, op.end],
} satisfies Record<string, Grammar>;

/** A place in a grammar: which token is next, and which repetitions are open. */
export class GrammarWalk {
  #grammar: Grammar = [op.end];
  #at = 0;
  /** Of each `count … next` that is open: turns left, and where it begins. */
  readonly #turns = new Float64Array(8);
  readonly #starts = new Uint8Array(8);
  #depth = 0;
  /** What is next: never `next`. */
  token: number = op.end;

  begin(grammar: Grammar): void {
    this.#grammar = grammar;
    this.#depth = 0;
    this.#goTo(0);
  }

  /** The token has been read. */
  step(): void {
    this.#goTo(this.#at + 1);
  }

  /** The token has been read, a count of so many turns. */
  open(turns: number): void {
    if (turns === 0) return this.#leaveOut();
    this.#depth++;
    this.#turns[this.#depth] = turns;
    this.#starts[this.#depth] = this.#at + 1;
    this.step();
  }

  #goTo(place: number): void {
    let at = place;
    while (this.#grammar[at] === op.next) {
      this.#turns[this.#depth]! -= 1;
      if (this.#turns[this.#depth]! > 0) at = this.#starts[this.#depth]!;
      else {
        this.#depth--;
        at++;
      }
    }
    this.#at = at;
    this.token = this.#grammar[at]!;
  }

  #leaveOut(): void {
    let at = this.#at + 1;
    for (let open = 1; open > 0; at++) {
      const token = this.#grammar[at];
      if (token === op.count || token === op.elements) open++;
      else if (token === op.next) open--;
    }
    this.#goTo(at);
  }
}
