/** Lines of fields, by the grammar of RFC 4180 (LF or CRLF). Throws on what it does not allow. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  for (;;) {
    const match = field.exec(text);
    if (match === null) throw new Error(`no CSV at ${field.lastIndex}: ${text.slice(field.lastIndex, 60)}`);
    const [, quoted, plain = '', end] = match;
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') return rows;
    if (end !== ',') rows.push([]);
  }
}

/** Lines by their titles. */
export function parseCsvTable(text: string): Record<string, string>[] {
  const [titles = [], ...rows] = parseCsv(text.trimEnd());
  return rows.map((row) => {
    if (row.length !== titles.length) throw new Error(`${row.length} fields below ${titles.length} titles`);
    return Object.fromEntries(titles.map((title, index) => [title, row[index] ?? '']));
  });
}
