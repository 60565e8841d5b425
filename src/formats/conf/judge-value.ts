import { closest } from '../../lib/text/closest.ts';
import type { DirectiveFacts } from './directive-table.ts';

/** What is wrong with a value, and what to write for it, where that can be said. */
export interface BadValue {
  why: string;
  right?: string | undefined;
}

const units: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 2 ** 10,
  m: 1e6,
  mb: 2 ** 20,
  g: 1e9,
  gb: 2 ** 30,
};

/** Bytes of `100mb`; undefined when it is no size to the server. */
export function parseConfSize(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+)([a-z]*)$/i.exec(text) ?? [];
  const factor = units[unit.toLowerCase()];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** Judges one value by what the server's parser takes. `memory` is the host's, for percentages. */
export function judgeValue(
  facts: DirectiveFacts,
  value: string,
  memory: number | undefined,
): BadValue | undefined {
  switch (facts.type) {
    case 'yes-no':
      return judgeYesNo(facts, value);
    case 'enum':
      return judgeEnum(facts.values ?? [], value);
    case 'integer':
      return judgeInteger(facts, value);
    case 'memory':
      return judgeMemory(facts, value, memory);
    case 'memory-or-percent':
      return /^\d{1,2}%$|^100%$/.test(value) ? undefined : judgeMemory(facts, value, memory);
    case 'octal':
      return /^0*[0-7]{1,3}$/.test(value)
        ? undefined
        : {
            why: 'is no octal number up to 777, such as 770',
            right: value.endsWith('777') ? '770' : undefined,
          };
    case 'string':
    case 'save':
      return undefined;
    default:
      return undefined;
  }
}

function judgeYesNo({ values }: DirectiveFacts, value: string): BadValue | undefined {
  const word = value.toLowerCase();
  if (word === 'yes' || word === 'no') {
    if (values === undefined || values.includes(word)) return undefined;
    return { why: `cannot be ${word} in this build of the server`, right: word === 'yes' ? 'no' : 'yes' };
  }
  const right = /^(?:1|true|on|enabled?|y)$/.test(word)
    ? 'yes'
    : /^(?:0|false|off|disabled?|n|none)$/.test(word)
      ? 'no'
      : undefined;
  return { why: 'must be yes or no', right };
}

function judgeEnum(values: readonly string[], value: string): BadValue | undefined {
  const word = value.toLowerCase();
  if (values.some((each) => each.toLowerCase() === word)) return undefined;
  const near = values.filter((each) => each.startsWith(word) && word.length >= 4);
  return {
    why: `must be one of ${values.join(', ')}`,
    right: near.length === 1 ? near[0] : closest(value, values),
  };
}

function judgeInteger({ min, max }: DirectiveFacts, value: string): BadValue | undefined {
  if (!/^(?:0|-?[1-9]\d*)$/.test(value)) {
    const whole = /^[+0]*([1-9]\d*)(?:\.0*)?(?:s|sec|seconds|ms)?$/i.exec(value)?.[1];
    return { why: 'must be a whole number', right: whole };
  }
  const number = Number(value);
  if ((min === undefined || number >= min) && (max === undefined || number <= max)) return undefined;
  return { why: `must be from ${min} to ${max}` };
}

function judgeMemory(
  { min, max }: DirectiveFacts,
  value: string,
  memory: number | undefined,
): BadValue | undefined {
  const bytes = parseConfSize(value);
  if (bytes !== undefined) {
    if ((min === undefined || bytes >= min) && (max === undefined || bytes <= max)) return undefined;
    return { why: `must be from ${min} to ${max} bytes` };
  }
  const percent = Number(/^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(value)?.[1]);
  if (percent > 0 && percent <= 100)
    return {
      why: 'takes no percentage',
      right: memory === undefined ? undefined : `${Math.floor((memory * percent) / 100 / 2 ** 20)}mb`,
    };
  return { why: 'must be a size such as 100mb or 2gb', right: rightSize(value) };
}

/** `1.5gb` → `1536mb`, `1tb` → `1024gb`, `2GiB` → `2gb`. */
function rightSize(value: string): string | undefined {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)\s*([kmgt])i?b?$/i.exec(value) ?? [];
  if (number === '') return undefined;
  const exponent = ['k', 'm', 'g', 't'].indexOf(unit.toLowerCase());
  const kilobytes = Number(number) * 1024 ** exponent;
  for (const [name, size] of [
    ['gb', 1024 ** 2],
    ['mb', 1024],
    ['kb', 1],
  ] as const)
    if (kilobytes % size === 0 && kilobytes > 0) return `${kilobytes / size}${name}`;
  return `${Math.max(1, Math.round(kilobytes))}kb`;
}
