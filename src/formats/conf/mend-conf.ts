import { checkConf, type CheckOptions } from './check-conf.ts';
import { parseConfDocument, printConf, type ConfDocument, type ConfLine } from './document.ts';
import type { ConfFault } from './fault.ts';

/** A line can be wrong in as many ways as it has words; each round mends one of them. */
const mostRounds = 20;

/**
 * The file as the server takes it: what has a right form gets it, other faulty lines become comments that say why. Every
 * other line stays as it is, byte for byte.
 */
export function mendConf(document: ConfDocument, options: CheckOptions): ConfDocument {
  let current = document;
  for (let round = 0; round < mostRounds; round++) {
    const faults = checkConf(current, options);
    if (faults.every(({ weight }) => weight === 'doubt')) break;
    current = parseConfDocument(printConf(mendOnce(current, faults)));
  }
  return current;
}

function mendOnce(document: ConfDocument, faults: readonly ConfFault[]): ConfDocument {
  const byLine = Map.groupBy(
    faults.filter(({ weight }) => weight !== 'doubt'),
    ({ line }) => line,
  );
  return {
    lines: document.lines.flatMap((line) => {
      const own = byLine.get(line.line);
      // A comment goes first: what is before it is looked at in the next round.
      const fault = own?.find(({ kind }) => kind === 'trailing-comment') ?? own?.[0];
      return fault === undefined ? [line] : mended(line, fault);
    }),
  };
}

function mended(line: ConfLine, fault: ConfFault): ConfLine[] {
  const end = line.raw.endsWith('\r') ? '\r' : '';
  const lines = fault.mended?.map(bytes) ?? [
    bytes(`# left out by redis-agent: ${fault.message.replaceAll('\n', ' ')}`),
    `# ${line.raw.replaceAll('\0', '')}`,
  ];
  return lines.map((text) => ({ kind: 'comment', line: line.line, raw: `${text.replace(/\r$/, '')}${end}` }));
}

function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}
