import type { ReportNotice } from '../../domain/alert.ts';
import { colours, escapeHtml, frame } from './html.ts';
import type { Message } from './message.ts';

/** Longer texts are cut: the whole is in the files. */
const longest = 400;

/** A report's mail: the same words as reportText (text.ts), the verdict first. */
export function reportHtml(message: Message, report: ReportNotice): string {
  const { title, subtitle, headline, points, figures, files } = report;
  const colour = colours[message.severity ?? 'over'];
  const list = points.map(
    ({ text, advice }) =>
      `<li style="margin:0 0 8px;overflow-wrap:anywhere">${show(text)}${advice === null ? '' : `<br><span style="color:#666;font-size:14px">${show(advice)}</span>`}</li>`,
  );
  const tables = figures.map(
    ({
      name,
      values,
    }) => `<h2 style="font-size:15px;margin:18px 0 4px;overflow-wrap:anywhere">${show(name)}</h2>
<table role="presentation" style="border-collapse:collapse;font-size:14px">${values.map(({ label, value }) => `<tr><td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">${show(label)}</td><td style="padding:2px 0;overflow-wrap:anywhere">${show(value)}</td></tr>`).join('')}</table>`,
  );
  const attached = files.map(({ name, what }) => `<br>${show(name)}: ${show(what)}`);
  return frame(
    message,
    `<h1 style="font-size:18px;line-height:1.3;margin:0;overflow-wrap:anywhere">${show(title)}</h1>
<p style="margin:2px 0 12px;color:#666;font-size:13px">${show(subtitle)}</p>
<p style="margin:0 0 12px;font-size:17px;font-weight:600;color:${colour}">${show(headline)}</p>
${list.length === 0 ? '' : `<ul style="margin:0 0 12px;padding-left:20px">${list.join('')}</ul>`}
${tables.join('\n')}
${attached.length === 0 ? '' : `<p style="margin:18px 0 0;font-size:14px">Attached:${attached.join('')}</p>`}`,
  );
}

function show(text: string): string {
  return escapeHtml(text.length > longest ? `${text.slice(0, longest)}…` : text);
}
