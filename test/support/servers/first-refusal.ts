import { execFile } from 'node:child_process';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';
import type { ServerBuild } from './server-builds.ts';

/** A line that no server takes: where it is the first that is refused, those above were taken. */
const end = 'port no-such-port';

/** The server's words about the first line that it refuses, and that line's number. */
export async function firstRefusal(
  build: ServerBuild,
  lines: readonly string[],
): Promise<{ line: number; why: string }> {
  const output = await read(build, [...lines, end]);
  const [, line = '0', rest = ''] = /at line (\d+)\n>>> .*\n(.*)/.exec(output) ?? [];
  return { line: Number(line), why: rest.trim() };
}

/**
 * Does the server refuse a line with a directive that it does not know? From Redis 8 on it first takes it for one of a
 * module, and ends when it has seen that there is none, without a word about the line.
 */
export async function refusesDirective(build: ServerBuild, line: string): Promise<boolean> {
  const output = await read(build, ['port 0', 'save ""', line]);
  return /at line 3\n|Module Configuration detected without loadmodule/.test(output);
}

async function read(build: ServerBuild, lines: readonly string[]): Promise<string> {
  // A log file of any name is made while the line is read.
  const cwd = makeTempFolder();
  try {
    return await new Promise((resolve) => {
      const child = execFile(build.server, ['-'], { timeout: 20_000, cwd }, (_error, out, err) =>
        resolve(`${out}\n${err}`),
      );
      child.stdin?.end(`${lines.join('\n')}\n`);
    });
  } finally {
    removeTempFolder(cwd);
  }
}
