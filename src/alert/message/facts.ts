import type { Finding } from '../../domain/finding.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';

/** What a number is measured in stands at the end of its name. */
const units: readonly [suffix: string, inWords: (value: number) => string][] = [
  ['bytes', formatBytes],
  ['seconds', (value) => formatDuration(value * 1000)],
  ['ms', formatDuration],
  ['percent', (value) => `${value} %`],
];

/** A finding's evidence for people: `used: 922 MiB`, and not `used_bytes: 966367641`. What is not known is left out. */
export function factsOf(evidence: Finding['evidence']): { label: string; text: string }[] {
  return Object.entries(evidence).flatMap(([key, value]) => {
    if (value === null || value === '') return [];
    if (typeof value === 'boolean') return { label: words(key), text: value ? 'yes' : 'no' };
    if (typeof value === 'string') return { label: words(key), text: value };
    const unit = units.find(([suffix]) => key.endsWith(`_${suffix}`));
    if (unit === undefined) return { label: words(key), text: String(value) };
    const [suffix, inWords] = unit;
    return { label: words(key.slice(0, -suffix.length - 1)), text: inWords(value) };
  });
}

const words = (key: string): string => key.replaceAll('_', ' ');
