import { AgentError } from '../../domain/errors.ts';
import type { KeyspaceSummary } from '../../domain/keyspace.ts';
import type { KeySource } from '../../jobs/keys/key-source.ts';
import { KeyspaceReport, type ReportOptions } from '../../keyspace/report.ts';
import { printable } from '../../lib/text/printable.ts';
import type { DumpContext } from './dump-context.ts';
import { dumpError, readDump } from './dump-source.ts';

/** A key-space report, and where it is from. */
export interface SourceReport {
  /** What it is of. */
  source: string;
  /** Was it kept, and the dump not read? Then it may hold only the largest keys and prefixes. */
  stored: boolean;
  summary: KeyspaceSummary;
}

/** Reads the dump. */
export async function readReport(
  context: DumpContext,
  source: KeySource,
  options: ReportOptions,
): Promise<SourceReport> {
  const report = new KeyspaceReport(options);
  try {
    await readDump(context, source, report);
  } catch (error) {
    throw dumpError(source, error);
  }
  return { source: source.name, stored: false, summary: report.summary() };
}

/** The report that is kept. Throws an AgentError where there is none, or it is not sound. */
export async function storedReport(context: DumpContext, source: KeySource): Promise<SourceReport> {
  const summary = await source.report(context.signal).catch((error: unknown) => {
    throw source.kind === 'backup' ? withHint(error) : error;
  });
  if (summary !== undefined) return { source: source.name, stored: true, summary };
  throw new AgentError('failed', `no report is kept of ${printable(source.name)}`, {
    reason: 'missing',
    hint:
      source.kind === 'backup'
        ? 'encrypted backups have none, nor have those of an older redis-agent: leave --stored out to read the dump'
        : 'leave --stored out to read it',
  });
}

function withHint(error: unknown): unknown {
  if (!(error instanceof AgentError) || error.code !== 'damaged') return error;
  return error.retold(error.message, 'leave --stored out to read the dump');
}

/** The same, or undefined, with a word to the user where one is kept and cannot be used. */
export async function storedReportIfSound(
  context: DumpContext,
  source: KeySource,
): Promise<SourceReport | undefined> {
  try {
    return await storedReport(context, source);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    if (error.reason === 'missing') return undefined;
    if (error.code !== 'damaged' && error.reason !== 'newer') throw error;
    context.show(`warning: ${printable(error.message)}; the dump itself is read`);
    return undefined;
  }
}
