/** Text, a number, or nothing. */
export type CsvField = string | number | null;

/**
 * A table as RFC 4180 has it, with a line of titles; lines end with LF, as everywhere on a terminal. No text can run as a
 * formula in a spreadsheet.
 */
export function renderCsv(titles: readonly string[], rows: readonly (readonly CsvField[])[]): string {
  return [titles, ...rows].map((row) => row.map(renderField).join(',')).join('\n');
}

function renderField(field: CsvField): string {
  if (field === null) return '';
  const text = typeof field === 'number' ? String(field) : inert(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Signs that begin a formula, full-width ones too, as spreadsheets of some languages take them. */
const formula = '[=+\\-@＝＋－＠]';
const beginsFormula = new RegExp(`^[\\s']|^${formula}`, 'u');
/** A spreadsheet that divides fields by `;`, or by tabs, would find a second field here. */
const hiddenFormula = new RegExp(`[;\\t\\r\\n](?=[\\s"']*${formula})`, 'gu');

/** `'` in front makes a field text. It is put before every `'` too, so that whoever takes one away has what was there. */
function inert(text: string): string {
  const one = text.replaceAll(
    hiddenFormula,
    (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return beginsFormula.test(one) ? `'${one}` : one;
}
