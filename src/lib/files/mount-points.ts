import { readFileSync } from 'node:fs';

/** Where something is mounted, in our own namespace: folders, and files that are mounted by themselves. */
export function mountPoints(): Set<string> {
  try {
    const text = readFileSync('/proc/self/mountinfo', 'utf8');
    return new Set(text.split('\n').flatMap((line) => placeOf(line) ?? []));
  } catch {
    return new Set();
  }
}

/** Blanks and backslashes of a path stand there in octal, proc(5). */
function placeOf(line: string): string | undefined {
  const [, , , , place] = line.split(' ');
  return place?.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
