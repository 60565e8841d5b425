import type { Severity } from '../../domain/finding.ts';
import { linkLabel, type ItemText } from './item.ts';
import type { Message } from './message.ts';

export const colours: Record<Severity | 'over', string> = {
  critical: '#b3261e',
  high: '#a84300',
  warning: '#7a5900',
  info: '#41566b',
  over: '#1e6b34',
};
const mono = 'font-family:ui-monospace,Consolas,Menlo,monospace;font-size:13px';
const sans =
  'font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.45';

/** The same content as renderText, as a mail that needs neither pictures nor style sheets nor scripts. */
export function renderHtml(message: Message): string {
  const { headline, sections, notice } = message;
  const several = sections.length > 1 || notice.kind === 'digest';
  const body = sections
    .map(({ heading, items }) => {
      const title = several
        ? `<h2 style="font-size:15px;margin:20px 0 8px;color:#555">${escapeHtml(heading)}</h2>`
        : '';
      return `${title}${items.map((item) => itemHtml(item, notice.kind === 'digest')).join('\n')}`;
    })
    .join('\n');
  return frame(
    message,
    `<h1 style="font-size:18px;line-height:1.3;margin:0 0 12px;overflow-wrap:anywhere">${escapeHtml(headline)}</h1>
${body}`,
  );
}

/** What every mail has around its content. */
export function frame({ headline, footer, severity }: Message, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light"><title>${escapeHtml(headline)}</title></head>
<body style="margin:0;padding:16px;background:#f4f5f7;color:#1c1c1c;${sans}">
<div style="max-width:640px;margin:0 auto;background:#fff;border:1px solid #dcdfe4;border-top:4px solid ${colours[severity ?? 'over']};border-radius:6px;padding:16px 20px">
${content}
<p style="margin:20px 0 0;padding-top:10px;border-top:1px solid #e6e8ec;color:#666;font-size:12px">${footer.map((line) => linked(line)).join('<br>')}</p>
</div></body></html>
`;
}

function itemHtml({ item, state, over, name, summary, details }: ItemText, withInstance: boolean): string {
  const colour = colours[over ? 'over' : item.severity];
  const rows = details.map(({ label, text }) => {
    const value = text.startsWith('redis-agent ')
      ? `<code style="${mono}">${escapeHtml(text)}</code>`
      : label === linkLabel
        ? linked(text)
        : escapeHtml(text);
    return `<tr><td style="padding:2px 12px 2px 0;color:#666;vertical-align:top">${label}</td><td style="padding:2px 0;overflow-wrap:anywhere">${value}</td></tr>`;
  });
  const where = withInstance ? `${escapeHtml(item.instance)}: ` : '';
  return `<div style="margin:0 0 14px;padding-left:12px;border-left:3px solid ${colour}">
<div style="overflow-wrap:anywhere">${where}<b style="color:${colour}">${escapeHtml(state)}</b>: <b>${escapeHtml(name)}</b></div>
<div style="margin:2px 0 6px;overflow-wrap:anywhere">${escapeHtml(summary)}</div>
<table role="presentation" style="border-collapse:collapse;font-size:14px">${rows.join('')}</table></div>`;
}

function linked(line: string): string {
  const text = escapeHtml(line);
  return /^https?:\/\//.test(line) ? `<a href="${text}">${text}</a>` : text;
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
