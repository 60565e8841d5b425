import type { ReportDocument } from '../../report/document.ts';
import { buildReport } from '../../report/model/index.ts';
import type { App } from '../build-app.ts';
import { gatherReport, type ReportRequest } from './gather.ts';

export interface MadeReport {
  document: ReportDocument;
  timezone: string;
}

/** The report of this host's instances, whoever asks for it: a command, a page or a mail. */
export async function instanceReport(app: App, request: ReportRequest): Promise<MadeReport> {
  const facts = await gatherReport(app, request);
  return { document: buildReport(facts), timezone: facts.timezone };
}
