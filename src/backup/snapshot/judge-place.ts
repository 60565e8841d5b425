import type { Judgement, Problem } from './problem.ts';

/** What the mount table says; undefined: it may not be read. */
export interface MountedAt {
  /** Is the dump itself a mount point? A rename cannot replace it. */
  mounted: boolean | undefined;
  readOnly: boolean | undefined;
}

/** Where a server puts its dump, and what it may do there: it writes a new file, and renames it to the old one's name. */
export interface DumpPlace extends MountedAt {
  folder: string;
  file: string;
  /** Whose process it is; `override` and `owner`: it may write everywhere, and replace what is another's. */
  server: { uid: number; groups: number[]; override: boolean; owner: boolean };
  directory: { uid: number; gid: number; mode: number };
  /** undefined: there is none yet. */
  dump: { uid: number; folder: boolean } | undefined;
}

const sticky = 0o1000;
const writeAndEnter = 0o3;

/** Pure. Can the server replace its dump? By the mode bits alone where nothing else can be seen. */
export function judgePlace(
  place: DumpPlace | undefined,
  failureBlocksWrites: boolean,
  { refusals, warnings }: Judgement,
): void {
  if (place === undefined) return;
  const path = `${place.folder}/${place.file}`;
  const because = (why: string): string =>
    failureBlocksWrites
      ? `${why}, and a save that fails would stop writes (stop-writes-on-bgsave-error)`
      : why;
  const say = (why: string, next: string): void =>
    void refusals.push({
      check: 'place',
      what: `the server cannot replace ${path}`,
      why: because(why),
      next,
    });
  const { server, directory, dump } = place;
  if (dump?.folder === true) return say('it is a folder', 'move it away, or set another dbfilename');
  if (place.mounted === true)
    return say(
      'it is a mount point, which no rename can replace',
      'mount the folder into the container, and not the file',
    );
  if (place.readOnly === true)
    return say(
      `${place.folder} is mounted read-only for it`,
      'mount it writable, or set another dir; ReadWritePaths= in a unit of systemd',
    );
  const may = mayWrite(place);
  const whose = `it runs as uid ${server.uid}, and ${place.folder} belongs to uid ${directory.uid}, gid ${directory.gid}, mode ${modeOf(directory.mode)}`;
  const next = `give it to the server’s user: chown ${server.uid} ${place.folder}`;
  if (may === 'no') return say(whose, next);
  if (may === 'unknown')
    warnings.push({
      check: 'place',
      what: `the server may not be able to replace ${path}`,
      why: whose,
      next,
    });
  const guarded = (directory.mode & sticky) !== 0 && directory.uid !== server.uid && !server.owner;
  if (guarded && dump !== undefined && dump.uid !== server.uid)
    say(
      `${place.folder} is sticky, and the file belongs to uid ${dump.uid}`,
      `give it to the server’s user: chown ${server.uid} ${path}`,
    );
}

/** unknown: where a list of rights (setfacl) grants more, the group’s bits are the most that it grants. */
function mayWrite({ server, directory: { uid, gid, mode } }: DumpPlace): 'yes' | 'no' | 'unknown' {
  if (server.override) return 'yes';
  if (server.uid === uid) return allows(mode >> 6) ? 'yes' : 'no';
  if (server.groups.includes(gid)) return allows(mode >> 3) ? 'yes' : 'no';
  if (allows(mode)) return 'yes';
  return allows(mode >> 3) ? 'unknown' : 'no';
}

function allows(bits: number): boolean {
  return (bits & writeAndEnter) === writeAndEnter;
}

function modeOf(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Of a server whose last save failed, and which refuses writes until one succeeds. */
export const freeWrites =
  'to let it take writes at once: redis-cli CONFIG SET stop-writes-on-bgsave-error no; mend the cause (the server’s log names it), then redis-cli BGSAVE: when it has succeeded set it to yes again';

/** It is not asked again for what has failed. */
export const writesBlocked: Problem = {
  check: 'last-save',
  what: 'the server’s last save failed, and it refuses writes since (MISCONF)',
  why: 'rdb_last_bgsave_status is err, with stop-writes-on-bgsave-error yes; another save would fail as well while the cause stands',
  next: freeWrites,
};
