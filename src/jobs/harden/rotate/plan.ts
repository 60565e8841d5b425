import { AgentError } from '../../../domain/errors.ts';
import type { InstanceSettings } from '../../../domain/settings.ts';
import { sha256 } from '../../../harden/read/hash.ts';
import { counted } from '../../../lib/text/counted.ts';
import type { Secret } from '../../../domain/secret.ts';
import type { Consumers } from '../../../harden/rotate/consumers.ts';
import { whyNotWritable } from './files.ts';
import type { RotationJournal } from './journal.ts';
import type { NodeFiles, RotationNode } from './nodes.ts';
import { sentinelsOf } from './sentinels.ts';

/** What a rotation will do, or has done; the document of --json. */
export interface RotationPlan {
  instance: string;
  user: string;
  /** When it was begun, where one is under way; ISO 8601. */
  resumes: string | null;
  nodes: {
    address: string;
    role: 'master' | 'replica';
    /** Where the user’s line stands; else why in no file, or that a person writes it. */
    kept_in: string;
    connections: { address: string; name: string; age_seconds: number }[];
  }[];
  /** Replicas log in as the user. */
  replication: boolean;
  sentinels: string[];
  secret_files: string[];
  hooks: string[];
  /** Files that a person has to change: what the user’s line there has to be now; null of a plan. */
  by_hand: { address: string; why: string; line: string | null; masterauth: boolean }[];
}

export interface RotationRequest {
  instance: InstanceSettings;
  user: string;
  sentinels: readonly string[];
  secretFiles: readonly string[];
  hooks: readonly string[];
  byHand: boolean;
}

/** The agent’s own password lies where the configuration says. */
export function withOwnFile(request: RotationRequest): RotationRequest {
  const { instance, user, secretFiles, hooks } = request;
  if ((instance.username ?? 'default') !== user || instance.password === undefined) return request;
  const { password } = instance;
  if ('file' in password) return { ...request, secretFiles: [...new Set([...secretFiles, password.file])] };
  if (secretFiles.length + hooks.length > 0) return request;
  const where = 'env' in password ? `$${password.env}` : `the credential ${password.credential}`;
  throw new AgentError(
    'usage',
    `the agent’s own password comes from ${where}, which no rotation can change`,
    {
      hint: 'name where it comes from: --secret-file FILE, or --hook PROGRAM that writes it there',
    },
  );
}

/** A person writes the files of a node that cannot be written from here. */
export async function leaveToHand(nodes: readonly RotationNode[], dryRun: boolean): Promise<void> {
  for (const node of nodes) {
    const why = await whyNotWritable(node, dryRun);
    if (why !== undefined) node.files = { kind: 'unseen', why };
  }
}

function refuse(message: string, hint: string, code: 'refused' | 'usage' = 'refused'): never {
  throw new AgentError(code, message, { hint });
}

interface Sounding {
  consumers: Consumers;
  /** Of a rotation that goes on. */
  journal: RotationJournal | undefined;
  known: Secret | undefined;
  dryRun: boolean;
}

/** Refuses what would lock somebody out, before anything is changed. Throws an AgentError `refused` or `usage`. */
export async function requireSound(
  request: RotationRequest,
  nodes: readonly RotationNode[],
  { consumers, journal, known, dryRun }: Sounding,
): Promise<void> {
  const { user, secretFiles, hooks, sentinels } = request;
  if (secretFiles.length + hooks.length === 0)
    refuse(
      'nobody would be told the new password',
      'name the consumers: --secret-file FILE (it is written anew), --hook PROGRAM (it reads it on stdin), or both',
      'usage',
    );
  for (const file of secretFiles) {
    const why = await consumers.whyNotFile(file);
    if (why !== undefined) refuse(`the secret file cannot be written: ${why}`, 'nothing was changed');
  }
  for (const hook of hooks) {
    const why = await consumers.whyNotHook(hook);
    if (why !== undefined) refuse(`the hook is not run: ${why}`, 'nothing was changed');
  }
  const next = known === undefined ? undefined : sha256(known.reveal());
  for (const node of nodes) {
    const { address, hashes, noPassword, files } = node;
    if (hashes === undefined)
      refuse(
        `there is no user ${user} on ${address}`,
        `ACL LIST there shows who is; users are not replicated`,
      );
    if (noPassword)
      refuse(
        `${user} needs no password on ${address}, whoever knows the name is in`,
        `give it one first, and its clients too: ACL SETUSER ${user} resetpass '#SHA-256'`,
      );
    const old = (hashes ?? []).filter((hash) => hash !== next);
    if (old.length > 1)
      refuse(
        `${user} has ${old.length} passwords on ${address} already: an earlier rotation was not ended`,
        `find out which one is used, and take the others away: ACL SETUSER ${user} '!SHA-256'`,
      );
    const why = await whyNotWritable(node, dryRun);
    if (why !== undefined)
      refuse(
        `${address}: ${why}`,
        'mend that first, a restart would bring the old password back; or with --by-hand, which prints the line for its file twice: before the old password goes, and after',
      );
    if (files.kind === 'unseen' && !request.byHand)
      refuse(
        `${address}: its files cannot be written from here (${files.why})`,
        'run it there; or, of a server of this host, name it below instances: of the configuration; or with --by-hand, which prints the line for its file twice: before the old password goes, and after',
      );
  }
  const watching = sentinelsOf(nodes);
  if (watching.length > 0 && sentinels.length === 0)
    refuse(
      `${counted(watching.length, 'Sentinel logs', 'Sentinels log')} in as ${user}`,
      'name every one of them, they do not tell one another: --sentinel redis://HOST:26379',
    );
  if (journal === undefined && watching.length > sentinels.length && sentinels.length > 0)
    refuse(
      `${counted(watching.length, 'Sentinel logs', 'Sentinels log')} in as ${user}, and ${counted(sentinels.length, 'is', 'are')} named`,
      'name every one: --sentinel URL',
    );
  // It would be told a password that is not that of the user it logs in as, and would see no server any more.
  if (journal === undefined && sentinels.length > watching.length)
    refuse(
      `${counted(sentinels.length, 'Sentinel is', 'Sentinels are')} named, and ${watching.length} log in as ${user}`,
      `leave out --sentinel where they log in as somebody else; those that do show in CLIENT LIST by the name sentinel-…, which needs +client|setname`,
    );
}

function keptIn(files: NodeFiles): string {
  if (files.kind === 'files') return files.path;
  return files.kind === 'none' ? `in no file: ${files.why}` : 'in files that are changed by hand';
}

export function describePlan(
  { instance, user, sentinels, secretFiles, hooks }: RotationRequest,
  nodes: readonly RotationNode[],
  journal: RotationJournal | undefined,
): RotationPlan {
  return {
    instance: instance.name,
    user,
    resumes: journal?.started ?? null,
    nodes: nodes.map(({ address, role, files, clients }) => ({
      address,
      role,
      kept_in: keptIn(files),
      connections: clients.map(({ address: from, name, age }) => ({ address: from, name, age_seconds: age })),
    })),
    replication: nodes.some(({ replicates }) => replicates),
    sentinels: [...sentinels],
    secret_files: [...secretFiles],
    hooks: [...hooks],
    by_hand: nodes.flatMap(({ files, address, replicates }) =>
      files.kind === 'unseen' ? [{ address, why: files.why, line: null, masterauth: replicates }] : [],
    ),
  };
}
