import { countCommandsBehind } from '../../formats/aof/commands-behind.ts';
import { RespScanner } from '../../formats/aof/resp-scanner.ts';
import { readRange } from './read-range.ts';
import type { ScannedAof } from './scan-file.ts';

/** What lies behind the last place up to which a file is sound, and goes when it is cut there. */
export interface AofCut {
  file: string;
  offset: number;
  bytes: number;
  /** The first of them for people, the incomplete one last. */
  commands: string[];
  /** Complete ones among them. */
  complete: number;
  /** Complete ones behind what is broken: more than 0 means damage and no tear. */
  behind: number;
}

const mostShown = 10;
/** How far to look behind what is broken. */
const windowBytes = 1024 * 1024;
/** How far to read a transaction that was never ended. */
const readBytes = 256 * 1024 * 1024;

export async function describeCut({ file, scan }: ScannedAof, signal: AbortSignal): Promise<AofCut> {
  const { sound, end } = scan;
  const cut = { file: file.name, offset: sound, bytes: file.size - sound };
  if (end.state === 'torn' && end.inside === 'preamble')
    return { ...cut, commands: [], complete: 0, behind: 0 };
  const commands: string[] = [];
  const scanner = new RespScanner({
    offset: sound,
    onCommand: (command) => void (commands.length < mostShown && commands.push(command.describe())),
  });
  const to = Math.min(file.size, sound + readBytes);
  for await (const chunk of readRange(file.handle, { from: sound, to, name: file.name, signal }))
    scanner.update(chunk);
  const open = scanner.describeOpen();
  if (open !== undefined) commands.push(open);
  const broken = end.state === 'corrupt' ? end.offset : end.state === 'torn' ? end.command : undefined;
  const behind = broken === undefined ? 0 : await lookBehind({ file, scan }, broken, signal);
  return { ...cut, commands, complete: scanner.result().commands, behind };
}

async function lookBehind(
  { file }: Pick<ScannedAof, 'file' | 'scan'>,
  from: number,
  signal: AbortSignal,
): Promise<number> {
  const parts: Buffer[] = [];
  const range = { from, to: Math.min(file.size, from + windowBytes), name: file.name, signal };
  for await (const chunk of readRange(file.handle, range)) parts.push(Buffer.from(chunk));
  return countCommandsBehind(Buffer.concat(parts));
}
