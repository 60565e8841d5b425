import type { ElementSink } from '../element-sink.ts';
import { RdbError } from '../rdb-handler.ts';
import type { ValueType } from '../value-types.ts';

/** Takes the tokens of values of some layouts. One object is used for many values. */
export interface ValuePart {
  begin(type: ValueType): void;
  string(bytes: Uint8Array): void;
  skipped(bytes: number): void;
  number(value: number | bigint): void;
  bytes8(bytes: Uint8Array): void;
  bytes16(bytes: Uint8Array): void;
  /** After the last token: checks what can only be known then. */
  end(): void;
}

/** A token that the layout does not have there: whoever sends tokens does not follow it. */
export function unexpected(token: string): RdbError {
  return new RdbError('damaged', `a value has ${token} where its type has none`);
}

export function damaged(detail: string): RdbError {
  return new RdbError('damaged', detail);
}

export function checkCount(
  { data, packing }: ValueType,
  { found, stated, sink }: { found: number; stated: number; sink: ElementSink },
): void {
  if (found !== stated) throw damaged(`a ${data} has ${found} elements and not the ${stated} that it states`);
  if (found > 0) return;
  // Of these servers take nothing for damage but what never was.
  if (packing === 'intset' || packing === 'zipmap') throw damaged(`a ${data} has no elements`);
  sink.passedOver?.('empty');
}

export function duplicate({ data }: ValueType): RdbError {
  const what = data === 'hash' ? 'field' : 'member';
  return damaged(`a ${data} has the same ${what} twice`);
}

/** The latest time that Redis takes for a field (EB_EXPIRE_TIME_MAX). */
const latestExpiry = 2 ** 48 - 2;

/** A field's expiry as it is held, 0 for never, to the sink's form. */
export function fieldExpiry(held: number): number {
  if (held === 0) return -1;
  if (!(held > 0 && held <= latestExpiry)) throw damaged("a field's expiry is out of range");
  return held;
}
