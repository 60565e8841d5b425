/**
 * In the place of `string-width` in what is shipped: columns that text takes on a terminal. yargs lays out our own help
 * with it, which has no character of two columns or none; to know those, the package makes tables of all emoji at each
 * start, a sixth of the time before a command does anything.
 */
export default function plainWidth(text: string): number {
  // oxlint-disable-next-line no-control-regex -- colours take no column
  return text.replaceAll(/\u001B\[[\d;]*m/g, '').length;
}
