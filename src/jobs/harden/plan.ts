import { hasEverything, type AclUser } from '../../formats/acl/user.ts';
import { diffConf, editConf, type LineEdit } from '../../formats/conf/edit-conf.ts';
import { lookUpDirective } from '../../formats/conf/directive-table.ts';
import { printConf, type ConfDocument } from '../../formats/conf/document.ts';
import { showEngine, type EngineVersion } from '../../formats/conf/engine.ts';
import { holdsSecret } from '../../formats/conf/fault.ts';
import { infoInteger } from '../../formats/info/parse-info.ts';
import { sha256Of } from '../../harden/apply/fingerprint.ts';
import { judgePlaces, ownersIn } from '../../harden/apply/judge-place.ts';
import type { FileAttributes } from '../../harden/apply/write-file.ts';
import type { HeldValue, FileChange, HardenPlan } from '../../harden/changes.ts';
import type { Guards } from '../../harden/plan/guards.ts';
import { certificateChange } from '../../harden/plan/certificate.ts';
import { makePlan, type Planned } from '../../harden/plan/make-plan.ts';
import type { PlanFacts } from '../../harden/plan/facts.ts';
import type { Policy } from '../../harden/policy.ts';
import { readFiles } from '../../harden/read/read-files.ts';
import { withoutPasswords } from '../../harden/acl/user-lines.ts';
import type { JobContext } from '../job.ts';
import { prepareUsers, type AclSettings, type PlannedUsers } from './acl.ts';
import type { InspectedServer } from './inspect-server.ts';

/** A file with what it becomes. */
export interface PlannedFile extends FileChange {
  real: string;
  attributes: FileAttributes;
  bytesBefore: Uint8Array;
  bytesAfter: Uint8Array;
}

export interface PreparedPlan {
  plan: HardenPlan;
  planned: PlannedFile[];
  users: PlannedUsers;
  held: HeldValue[];
}

export interface PrepareOptions {
  /** What is not done, whatever the policy says. */
  stops?: Guards | undefined;
  /** What users are to be; undefined: they are left alone. */
  acl?: AclSettings | undefined;
  /** False: a certificate that is newer on disk is left for later. */
  reloads?: boolean | undefined;
}

/** What the policy comes to on this server, now. */
export function preparePlan(
  { instance }: Pick<JobContext, 'instance'>,
  inspected: InspectedServer,
  policy: Policy,
  { stops, acl, reloads }: PrepareOptions = {},
): PreparedPlan {
  const facts = planFacts(inspected, policy, instance);
  const made = makePlan(facts, stops);
  const reload = certificateChange(inspected.certificate, made.changes);
  // What no file says is gone with the next start: that is for who has set it.
  const said = inspected.conf.entries.findLast(({ name }) => name === 'tls-cert-file')?.values[0];
  if (reload !== undefined && reloads !== false && said === reload.to) made.changes.push(reload);
  const users = prepareUsers(inspected, instance, acl);
  for (const [path, edits] of users.edits) made.edits.set(path, [...(made.edits.get(path) ?? []), ...edits]);
  const looked = [...inspected.conf.files, ...(users.aclfile === undefined ? [] : [users.aclfile])]
    .filter(({ path }) => made.edits.has(path))
    .map(({ path, document }) => ({ ...inspected.seen.place(path), ...ownersIn(document), document }));
  const planned = looked.map(({ path, real, attributes, document }) => {
    const edits = made.edits.get(path) ?? [];
    return { ...fileChange(path, document, edits, inspected.engine), real, attributes };
  });
  const plan = describe(instance.name, policy, inspected, { ...made, users }, planned);
  plan.obstacles = judgePlaces(looked);
  return { plan, planned, users, held: made.held };
}

function planFacts(inspected: InspectedServer, policy: Policy, instance: JobContext['instance']): PlanFacts {
  const { engine, info, conf, config, file, seen, memory, clients } = inspected;
  const files = readFiles(file, { engine, reader: seen.reader, alone: false, memory });
  const users = files.aclfile?.users ?? files.users;
  const standard = users.find((each) => each.user.name === 'default')?.user;
  const own = clients?.find((client) => client.own);
  const aclfile = policy.wishes.find(({ name }) => name === 'aclfile')?.value[0];
  return {
    policy,
    engine,
    config,
    files: conf.files,
    entries: conf.entries,
    memory,
    usedMemory: infoInteger(info, 'used_memory') ?? 0,
    connectedClients: infoInteger(info, 'connected_clients') ?? 0,
    defaultMayAll: standard && hasEverything(standard),
    defaultOpen: standard && isOpen(standard),
    clients: clients?.filter((client) => !client.own),
    agent: {
      url: instance.url,
      hasCertificate: instance.tls?.cert !== undefined,
      from: own?.from,
      to: own?.to,
    },
    aclfile: aclfile === undefined ? undefined : hasDefault(aclfile, inspected),
  };
}

function isOpen({ enabled, noPassword }: AclUser): boolean {
  return enabled && noPassword;
}

function hasDefault(path: string, { file, engine, seen }: InspectedServer): boolean | undefined {
  const { aclfile } = readFiles(file, { engine, reader: seen.reader, alone: false, aclfile: path });
  return aclfile?.entries.some(({ values }) => values[0] === 'default');
}

function fileChange(
  path: string,
  document: ConfDocument,
  edits: LineEdit[],
  engine: EngineVersion,
): FileChange & { bytesBefore: Uint8Array; bytesAfter: Uint8Array } {
  const bytesBefore = printConf(document);
  const bytesAfter = printConf(editConf(document, edits));
  return {
    path,
    edits: edits.map((edit) => ({ ...edit, insert: edit.insert.map(shownLine) })),
    before: sha256Of(bytesBefore),
    after: sha256Of(bytesAfter),
    diff: diffConf(path, document, edits, (index) => mayShow(document, index, engine))
      .split('\n')
      .map((line) => (line.startsWith('../../formats/clients/client-list.ts') ? line : shownLine(line)))
      .join('\n'),
    bytesBefore,
    bytesAfter,
  };
}

/** A plan is sent around: no password, and nothing that nobody knows. */
function mayShow({ lines }: ConfDocument, index: number, engine: EngineVersion): boolean {
  const line = lines[index];
  if (line === undefined || line.kind === 'blank') return true;
  if (line.kind === 'comment') return !/pass|auth|user|secret|token|key/i.test(line.raw);
  if (line.kind === 'broken' || holdsSecret(line.name)) return false;
  return lookUpDirective(line.name, engine).state !== 'unknown';
}

/** Hashes have no salt, and old lines may hold passwords as they are. */
function shownLine(line: string): string {
  return /^[-+ ]?\s*user\s/i.test(line) ? withoutPasswords(line) : line;
}

function describe(
  instance: string,
  policy: Policy,
  inspected: InspectedServer,
  { changes, refused, unknown, users }: Planned & { users: PlannedUsers },
  planned: readonly PlannedFile[],
): HardenPlan {
  const files = planned.map(({ path, edits, before, after, diff }) => ({ path, edits, before, after, diff }));
  const what = {
    instance,
    changes: changes.map(({ directive, to, run_time: runTime, file }) => [directive, to, runTime, file]),
    users: users.changes.map(({ user, kind, class: how, rules }) => [user, kind, how, rules]),
    files: files.map(({ path, before, after }) => [path, before, after]),
  };
  return {
    schema: 1,
    instance,
    policy: policy.asked,
    engine: showEngine(inspected.engine),
    fingerprint: sha256Of(JSON.stringify(what)),
    changes,
    users: users.changes,
    refused: [...refused, ...users.refused],
    obstacles: [],
    files,
    restart: changes.filter((change) => change.class === 'restart').map(({ directive }) => directive),
    unknown,
    host: [],
  };
}
