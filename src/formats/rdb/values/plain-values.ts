import type { ElementSink } from '../element-sink.ts';
import type { ValueType } from '../value-types.ts';
import { HeldBytes } from './held-bytes.ts';
import { parseScore, readScore, readTime } from './numbers.ts';
import { UniqueBytes } from './unique-bytes.ts';
import { checkCount, damaged, duplicate, fieldExpiry, unexpected, type ValuePart } from './value-part.ts';

/** What an element consists of, by layout. */
type Step = 'item' | 'key' | 'value' | 'score' | 'score-text' | 'ttl' | 'expiry';

const stepsOf: Readonly<Partial<Record<ValueType['layout'], readonly Step[]>>> = {
  strings: ['item'],
  pairs: ['key', 'value'],
  scored: ['key', 'score'],
  'scored-text': ['key', 'score-text'],
  'expiring-pairs': ['ttl', 'key', 'value'],
  'pairs-expiring': ['key', 'value', 'expiry'],
};

/** Collections whose elements are strings of their own: a count, then the elements. */
export class PlainValues implements ValuePart {
  readonly #sink: ElementSink;
  readonly #unique = new UniqueBytes();
  /** Field or member, and value: kept until their element is complete. */
  readonly #key = new HeldBytes();
  readonly #value = new HeldBytes();
  #type: ValueType | undefined;
  #steps: readonly Step[] = [];
  #step = 0;
  /** -1: has not come yet. */
  #count = -1;
  #found = 0;
  /** What the fields' expiries are counted from; one more, since 0 is never. */
  #earliest = 0;
  #expiresAt = -1;
  /** Bytes of this element that were not handed over. */
  #skipped = 0;

  constructor(sink: ElementSink) {
    this.#sink = sink;
  }

  begin(type: ValueType): void {
    this.#type = type;
    this.#steps = stepsOf[type.layout] ?? [];
    this.#step = 0;
    this.#count = -1;
    this.#found = 0;
    this.#earliest = 0;
    this.#skipped = 0;
    this.#unique.clear();
  }

  number(value: number | bigint): void {
    if (this.#count < 0) this.#count = Number(value);
    else if (this.#steps[this.#step] === 'ttl') this.#ttl(Number(value));
    else throw unexpected('a number');
  }

  string(bytes: Uint8Array): void {
    switch (this.#expected('a string')) {
      case 'item':
        if (this.#type!.data === 'set' && !this.#unique.add(bytes)) throw duplicate(this.#type!);
        this.#sink.item?.(bytes);
        return this.#done();
      case 'key':
        if (!this.#unique.add(bytes)) throw duplicate(this.#type!);
        if (this.#sink.field !== undefined || this.#sink.member !== undefined) this.#key.set(bytes);
        this.#step += 1;
        return;
      case 'value':
        return this.#takeValue(bytes);
      case 'score-text':
        return this.#member(parseScore(bytes));
      case 'score':
      case 'ttl':
      case 'expiry':
        throw unexpected('a string');
    }
  }

  skipped(bytes: number): void {
    const step = this.#expected('a string');
    if (step === 'score-text') throw damaged("a sorted set's score is not a number");
    this.#skipped += bytes;
    if (this.#step === this.#steps.length - 1) this.#done();
    else this.#step += 1;
  }

  bytes8(bytes: Uint8Array): void {
    if (this.#type?.layout === 'expiring-pairs' && this.#count < 0) {
      this.#earliest = readTime(bytes) - 1;
      return;
    }
    const step = this.#expected('8 bytes');
    if (step === 'score') return this.#member(readScore(bytes));
    if (step !== 'expiry') throw unexpected('8 bytes');
    const expiresAt = readTime(bytes);
    if (expiresAt < -1) throw damaged("a field's expiry is out of range");
    if (this.#skipped === 0) this.#sink.field?.(this.#key.get(), this.#value.get(), expiresAt);
    this.#done();
  }

  bytes16(): void {
    throw unexpected('16 bytes');
  }

  end(): void {
    if (this.#step > 0) throw damaged(`a ${this.#type!.data} ends within an element`);
    checkCount(this.#type!, { found: this.#found, stated: this.#count, sink: this.#sink });
  }

  #expected(token: string): Step {
    const step = this.#steps[this.#step];
    if (this.#count < 0 || step === undefined) throw unexpected(token);
    return step;
  }

  #ttl(ttl: number): void {
    this.#expiresAt = fieldExpiry(ttl === 0 ? 0 : ttl + this.#earliest);
    this.#step += 1;
  }

  #takeValue(bytes: Uint8Array): void {
    if (this.#step < this.#steps.length - 1) {
      if (this.#sink.field !== undefined) this.#value.set(bytes);
      this.#step += 1;
      return;
    }
    const expiresAt = this.#steps[0] === 'ttl' ? this.#expiresAt : -1;
    if (this.#skipped === 0) this.#sink.field?.(this.#key.get(), bytes, expiresAt);
    this.#done();
  }

  #member(score: number): void {
    if (this.#skipped === 0) this.#sink.member?.(this.#key.get(), score);
    this.#done();
  }

  #done(): void {
    if (this.#skipped > 0) this.#sink.skipped?.(this.#skipped);
    this.#skipped = 0;
    this.#step = 0;
    this.#found += 1;
  }
}
