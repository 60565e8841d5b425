import { basename, dirname, join, resolve } from 'node:path';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { ownFolder } from '../../lib/own-files.ts';
import { closest } from '../../lib/text/closest.ts';
import { readNamedFile } from '../../lib/files/lent-file.ts';
import { policyNames, type Policy, type Wish } from '../policy.ts';

const mostParents = 8;
const largest = 256 * 1024;

/** Reads one of ours by its name, or a file, with all that it extends. Throws an AgentError `usage`. */
export async function readPolicy(asked: string): Promise<Policy> {
  const { parse } = await import('./parse.ts');
  const wishes = new Map<string, Wish>();
  const chain: { name: string; summary: string; directives: ReturnType<typeof parse>['directives'] }[] = [];
  let next: string | undefined = pathOf(asked, process.cwd());
  while (next !== undefined) {
    const path: string = next;
    if (chain.length === mostParents) throw wrong(path, 'policies extend one another');
    const read = parse(load(path), (problem) => wrong(path, problem));
    chain.push(read);
    next = read.extends === undefined ? undefined : pathOf(read.extends, dirname(path));
  }
  for (const { name: from, directives } of chain.toReversed())
    for (const [name, wish] of Object.entries(directives)) {
      if (wish === null) wishes.delete(name);
      else wishes.set(name, { name, ...wish, from });
    }
  const [first] = chain;
  return { name: first?.name ?? asked, asked, summary: first?.summary ?? '', wishes: [...wishes.values()] };
}

/** A word is one of ours; what has a dot or a slash is a file. */
function pathOf(asked: string, from: string): string {
  if (/[./]/.test(asked)) return resolve(from, asked);
  const known = policyNames.find((name) => name === asked);
  if (known !== undefined) return join(ownFolder('conf/policies'), `${known}.yaml`);
  const near = closest(asked, [...policyNames]);
  throw new AgentError('usage', `there is no policy ${JSON.stringify(asked)}`, {
    reason: 'policy',
    hint: `${near === undefined ? '' : `did you mean ${near}? `}there are ${policyNames.join(', ')}; or name a file: ./my-policy.yaml`,
  });
}

function load(path: string): string {
  try {
    const text = readNamedFile(path).toString('utf8');
    if (text.length > largest) throw new Error('it is no policy: it is too large');
    return text;
  } catch (error) {
    throw new AgentError('usage', `cannot read the policy ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function wrong(path: string, problem: string): AgentError {
  return new AgentError('usage', `the policy ${basename(path)}: ${problem}`, {
    reason: 'policy',
    hint: 'docs/harden.md shows one',
  });
}
