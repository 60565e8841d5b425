import { parseConfSize } from '../formats/conf/judge-value.ts';
import type { Accepted } from './policy.ts';

/** Does the policy leave that value alone? `memory` is what shares are of. */
export function isAccepted(value: string, accept: Accepted, memory: number | undefined): boolean {
  const { any_of: anyOf, at_least: least, at_most: most, named } = accept;
  if (anyOf?.includes(value) === true) return true;
  if (named === true && isNamed(value)) return true;
  if (least === undefined && most === undefined) return false;
  const number = amount(value, memory);
  const low = least === undefined ? undefined : amount(least, memory);
  const high = most === undefined ? undefined : amount(most, memory);
  // Where a bound cannot be worked out nobody can say that it is too much.
  return (
    number !== undefined && (low === undefined || number >= low) && (high === undefined || number <= high)
  );
}

/** A number, a size, or a share of memory; undefined where that is not known. */
export function amount(text: string, memory: number | undefined): number | undefined {
  const share = /^(\d+)%$/.exec(text)?.[1];
  if (share !== undefined) return memory === undefined ? undefined : (memory * Number(share)) / 100;
  if (/^-\d+$/.test(text)) return Number(text);
  return parseConfSize(text);
}

/** Listens on addresses that somebody has named. */
function isNamed(bind: string): boolean {
  const addresses = bind.split(' ').filter(Boolean);
  return addresses.length > 0 && !addresses.some((each) => /^-?(?:\*|0\.0\.0\.0|::\*?|::0)$/.test(each));
}

/** `60%` as a size that people can read; undefined where the memory is not known. */
export function valueFor(value: string, memory: number | undefined): string | undefined {
  if (!/^\d+%$/.test(value)) return value;
  const bytes = amount(value, memory);
  return bytes === undefined ? undefined : `${Math.max(1, Math.floor(bytes / 2 ** 20))}mb`;
}
