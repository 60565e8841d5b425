import { totalmem } from 'node:os';
import { AgentError } from '../../../domain/errors.ts';
import { atLeast } from '../../../domain/finding.ts';
import { judgeFacts } from '../../../harden/audit/judge.ts';
import { auditDocument } from '../../../app/report/audit-document.ts';
import type { AuditReport } from '../../../harden/audit/report.ts';
import { judgeFileUser, judgeServerUser, type ProfileReport } from '../../../app/acl/profile-report.ts';
import type { AuditFacts } from '../../../harden/facts.ts';
import { renderProfiles } from '../../render/profile.ts';
import { gatherFileFacts } from '../../../harden/read/gather-files.ts';
import { auditJob } from '../../../jobs/harden/audit-job.ts';
import { printable } from '../../../lib/text/printable.ts';
import { renderPage } from '../../../report/html/page.ts';
import { readInputs } from './file-inputs.ts';
import {
  apart,
  checkIds,
  engineOption,
  formats,
  namedConfs,
  requireFitting,
  severityOf,
  type AuditArgs as Args,
  type AuditFormat,
} from './options.ts';
import { previewFix } from './preview.ts';
import { writeOut } from '../../write-out.ts';
import { defineCommand, type CommandContext } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';
import { renderJunit } from '../../render/audit-junit.ts';
import { renderSarif } from '../../render/audit-sarif.ts';
import { renderAudit } from '../../render/audit-text.ts';
import { renderJson } from '../../render/json.ts';
import { createStyle } from '../../render/style.ts';

interface Audited {
  reports: AuditReport[];
  /** With --profile: a user held against it, and nothing else. */
  profiles?: ProfileReport[];
  /** The mended file, for --fix-preview. */
  preview: string | undefined;
  format: AuditFormat;
  failed: boolean;
  /** Servers that could not be looked at, where there are others. */
  problems?: Problem[];
  /** Where it was written. */
  out: string | undefined;
}

interface Problem {
  subject: string;
  error: AgentError;
}

export const auditCommand = defineCommand<Args, Audited>({
  usage: 'audit [files..]',
  summary: 'How open and how safe is it? Servers, or files before a server reads them',
  // Files are judged by who asks himself.
  sharesRoot: (args) => (args.out === undefined || namedConfs(args) !== undefined ? undefined : 'files'),
  writes: ({ out }) => out,
  options: (yargs) =>
    yargs
      .positional('files', { type: 'string', array: true, describe: 'As --conf' })
      .option('format', {
        requiresArg: true,
        choices: formats,
        default: 'text' as const,
        describe: 'How it is shown',
      })
      .option('fail-on', {
        type: 'string',
        default: 'high',
        requiresArg: true,
        describe: 'Exit with 3 where something of this severity or worse is open',
      })
      .option('out', { type: 'string', requiresArg: true, describe: 'Write it to this file' })
      .option('conf', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe:
          'Judge files instead of servers: redis.conf, sentinel.conf, compose or Helm YAML, a pattern, - for stdin',
      })
      .option('aclfile', {
        type: 'string',
        requiresArg: true,
        describe: 'The aclfile that belongs to --conf',
      })
      .option('engine', {
        type: 'string',
        requiresArg: true,
        describe: 'Which server will read the files: redis-7.0, valkey-8.1, redis-7.2-docker',
      })
      .option('check', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'Only these rules; nothing is recorded',
      })
      .option('fix-preview', { type: 'boolean', describe: 'Print the file of --conf as the server takes it' })
      .option('profile', {
        type: 'string',
        requiresArg: true,
        implies: 'user',
        describe:
          'Only this: has --user what an application of that kind needs? bullmq, bull, celery, cache …',
      })
      .option('user', {
        type: 'string',
        requiresArg: true,
        implies: 'profile',
        describe: 'The ACL user that --profile is about',
      })
      .option('key', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'Key pattern of the application, where it is not the profile’s',
      })
      .option('channel', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'The same for channels',
      })
      .conflicts('conf', 'instance'),
  examples: [
    ['$0 audit', 'every configured server, one score each'],
    ['$0 audit redis.conf --engine redis-7.0', 'a file, in CI or before the first start'],
    ['$0 audit --format html --out audit.html', 'a page to send on'],
    ['$0 audit --check ACL05', 'one rule'],
    ['$0 audit --profile bullmq --user worker', 'is that user’s ACL right for BullMQ?'],
  ],
  async run(context, given) {
    const args = {
      ...given,
      conf: namedConfs(given),
      check: apart(given.check)?.flatMap((word) => word.split(',')),
      key: apart(given.key),
      channel: apart(given.channel),
    };
    requireFitting(args, context.globals.instance);
    if (args.profile !== undefined) return heldAgainst(context, args);
    const failOn = severityOf(args['fail-on']);
    const only = args.check === undefined ? undefined : checkIds(args.check);
    if (args['fix-preview'] === true) return preview(context, args);
    const problems: Problem[] = [];
    const reports =
      args.conf === undefined ? await ofServers(context, only, problems) : await ofFiles(context, args, only);
    const failed = reports.some(({ findings }) =>
      findings.some(({ waived, severity }) => waived === null && atLeast(severity, failOn)),
    );
    const format = context.globals.json ? 'json' : args.format;
    const audited: Audited = { reports, preview: undefined, format, failed, problems, out: undefined };
    if (args.out === undefined) return audited;
    await writeOut(args.out, `${renderNow(audited)}\n`);
    return { ...audited, out: args.out };
  },
  document: documentOf,
  render(audited, { style, width }) {
    if (audited.preview !== undefined) return audited.preview.replace(/\n$/, '');
    if (audited.out !== undefined) return `written to ${printable(audited.out)}`;
    if (audited.profiles !== undefined) return renderProfiles(audited.profiles, style, width);
    return audited.format === 'text' ? renderAudit(audited.reports, style, width) : renderNow(audited);
  },
  // A server that nobody could look at is worse than what was found at another.
  exitCode: ({ failed, problems: [problem] = [] }) =>
    problem !== undefined ? exitCodes[problem.error.code] : failed ? exitCodes.findings : exitCodes.ok,
});

/** One user and one profile, of each server or file. */
async function heldAgainst(context: CommandContext, args: Args): Promise<Audited> {
  const { profile = '', user = '', key: keys, channel: channels } = args;
  const question = { profile, user, keys, channels };
  const profiles: ProfileReport[] = [];
  if (args.conf === undefined) {
    const app = await context.app();
    // As the configuration says of that user, where nothing else was typed.
    const known = app.settings.harden.acl[user];
    const asked = { ...known, ...question, keys: keys ?? known?.keys, channels: channels ?? known?.channels };
    for (const instance of app.instances(context.globals.instance))
      profiles.push(await judgeServerUser(app, instance, asked, context.signal));
  } else {
    for (const facts of await factsOfFiles(context, args)) profiles.push(judgeFileUser(facts, question));
  }
  const failed = profiles.some(({ fits }) => !fits);
  const audited: Audited = {
    reports: [],
    profiles,
    preview: undefined,
    format: args.format,
    failed,
    out: undefined,
  };
  if (args.out === undefined) return audited;
  await writeOut(args.out, `${renderJson(documentOf(audited), 2)}\n`);
  return { ...audited, out: args.out };
}

/** Those that can be looked at; of the others it is said why, and only if there are none of the former it throws. */
async function ofServers(
  context: CommandContext,
  only: string[] | undefined,
  problems: Problem[],
): Promise<AuditReport[]> {
  const app = await context.app();
  const reports: AuditReport[] = [];
  for (const instance of app.instances(context.globals.instance)) {
    context.progress.report({ phase: `auditing ${instance.name}` });
    try {
      reports.push(await app.run(auditJob, instance, { only }, context));
    } catch (error) {
      if (!(error instanceof AgentError) || context.signal.aborted) throw error;
      problems.push({ subject: instance.name, error });
    }
  }
  const [first] = problems;
  if (first !== undefined && reports.length === 0) throw first.error;
  for (const { error } of problems) context.show(`not audited: ${printable(error.message)}`);
  return reports;
}

async function ofFiles(
  context: CommandContext,
  args: Args,
  only: string[] | undefined,
): Promise<AuditReport[]> {
  const all = await factsOfFiles(context, args);
  return all.map((facts) => judgeFacts(facts, { waivers: [], only }));
}

async function factsOfFiles(context: CommandContext, args: Args): Promise<AuditFacts[]> {
  const asked = args.engine === undefined ? undefined : engineOption(args.engine);
  const inputs = await readInputs(args.conf ?? [], context.stdin);
  return inputs.map(({ path, source, origins, name, engine }) =>
    gatherFileFacts(path, {
      engine: asked ?? engine,
      aclfile: args.aclfile,
      source,
      origins,
      name,
      now: context.clock.now(),
      memory: totalmem(),
    }),
  );
}

async function preview(context: CommandContext, args: Args): Promise<Audited> {
  const inputs = await readInputs(args.conf ?? [], context.stdin);
  const [only, ...others] = inputs;
  if (only === undefined || others.length > 0)
    throw new AgentError('usage', '--fix-preview takes one file', {
      hint: 'audit --conf FILE --fix-preview',
    });
  const engine = args.engine === undefined ? only.engine : engineOption(args.engine);
  const text = previewFix(only, engine);
  if (args.out === undefined)
    return { reports: [], preview: text, format: 'text', failed: false, out: undefined };
  await writeOut(args.out, text);
  return { reports: [], preview: undefined, format: 'text', failed: false, out: args.out };
}

/** In any form, without colours. */
function renderNow(audited: Audited): string {
  const { reports, format } = audited;
  if (format === 'json') return renderJson(documentOf(audited), 2);
  if (format === 'html') return renderPage(auditDocument(reports), 'UTC');
  if (format === 'sarif') return renderSarif(reports);
  if (format === 'junit') return renderJunit(reports);
  return renderAudit(reports, createStyle(false), 100);
}

function documentOf({ reports, profiles, preview: text, problems = [] }: Audited): unknown {
  if (profiles !== undefined) return { profiles };
  if (text !== undefined) return { preview: text };
  const not_audited = problems.map(({ subject, error }) => ({ subject, problem: error.message }));
  return { reports, ...(not_audited.length > 0 && { not_audited }) };
}
