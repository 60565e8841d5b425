import { printable } from '../../lib/text/printable.ts';

/** Text that is HTML already. Only `markup` below makes it. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | readonly Markup[];

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Longer texts are cut: one hostile name must not fill a page. */
const longest = 400;

/**
 * A template whose strings and numbers are shown as text, whatever they hold: control characters, bidirectional
 * overrides and broken surrogates are written out, long ones cut, and what HTML reads is escaped.
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, string, index) => text + show(parts[index - 1] ?? '') + string));
}

function show(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('');
  return escapeText(String(part));
}

function escapeText(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return printable(cut).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
