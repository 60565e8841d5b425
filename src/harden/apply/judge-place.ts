import { asText, isSentinelConf, type ConfDocument } from '../../formats/conf/document.ts';
import type { Obstacle } from '../changes.ts';

/** What is known of one file that a plan would change. */
export interface PlaceFacts {
  path: string;
  /** Without symbolic links. */
  real: string;
  /** It is mounted by itself, so that nothing can take its name. */
  mounted: boolean;
  /** Why its folder cannot be written to; undefined: it can. */
  unwritable: string | undefined;
  /** Whose it is, where that cannot be kept: we are not root, and it is somebody else's. */
  foreignOwner: string | undefined;
  /** The comment in it that names another tool. */
  managed: string | undefined;
  sentinel: boolean;
}

/** What another program says of a file that it will write again. */
const tools = 'puppet|chef|ansible|salt|cfengine|terraform|helm|kubernetes|nixos|cloud-init|plesk|juju';
const marks = new RegExp(
  [
    'managed[ -]by',
    'ansible[ _-]managed',
    'this file is (?:managed|maintained|generated|controlled)',
    `(?:generated|controlled|created|written) by (?:${tools})`,
    'auto(?:matically)?[ -]?generated',
    'do not (?:edit|modify|change)',
    '(?:edits|changes|modifications)\\b.{0,40} will be (?:lost|overwritten|reverted|undone|discarded)',
    'will be overwritten',
  ]
    .map((each) => `\\b${each}\\b`)
    .join('|'),
  'i',
);

/** What its text says of who writes it. */
export function ownersIn(document: ConfDocument): Pick<PlaceFacts, 'managed' | 'sentinel'> {
  const comments = document.lines.flatMap(({ kind, raw }) => (kind === 'comment' ? [asText(raw)] : []));
  return { managed: managedMark(comments), sentinel: isSentinelConf(document) };
}

/** The first comment that says so. */
function managedMark(comments: readonly string[]): string | undefined {
  return comments.find((text) => marks.test(text) && !/redis-agent/.test(text))?.trim();
}

/** Why nothing is begun: seen before the first step. */
export function judgePlaces(places: readonly PlaceFacts[]): Obstacle[] {
  return places.flatMap(({ path, real, mounted, unwritable, foreignOwner, managed, sentinel }) => {
    const found: Obstacle[] = [];
    const obstacle = (
      name: Obstacle['name'],
      why: string,
      instead: string,
      flag: string | null = null,
    ): void => void found.push({ name, why, instead, flag });
    if (sentinel) obstacle('sentinel', `${path} is a Sentinel’s, which writes it itself`, 'use SENTINEL SET');
    if (mounted)
      obstacle(
        'mounted',
        `${real} is mounted by itself (a container’s -v FILE:FILE), and cannot be replaced`,
        'mount its folder instead, or change the file where it comes from: redis-agent harden plan --out plan.diff',
      );
    else if (unwritable !== undefined)
      obstacle(
        'unwritable',
        unwritable,
        'change the file by hand, redis-agent harden plan --out plan.diff shows how; or run as root, where you are not',
      );
    if (foreignOwner !== undefined)
      obstacle(
        'owner',
        `${real} belongs to ${foreignOwner}, which only root could keep`,
        'run as root: sudo redis-agent harden apply',
      );
    if (managed !== undefined)
      obstacle(
        'managed-file',
        `${path} is written by another tool: “${managed.slice(0, 80)}”`,
        'change it there: redis-agent harden plan --out plan.diff shows how',
        '--allow-managed-file',
      );
    return found;
  });
}
