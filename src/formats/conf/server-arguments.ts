/** A directive without its place. The name is in lower case. */
export interface Directive {
  name: string;
  values: string[];
}

/** What a server's command line says. */
export interface ServerArguments {
  /** Its configuration file, as written. */
  file: string | undefined;
  /** Directives given as options; they come after the file and win. */
  directives: Directive[];
}

/**
 * Reads `redis-server [FILE] [--name value …]`; `words` begin after the program. An option's values end where the next
 * option begins, as in server.c: `--save 900 1 --port 7000`.
 */
export function parseServerArguments(words: readonly string[]): ServerArguments {
  const [first, ...others] = words;
  const hasFile = first !== undefined && !first.startsWith('-');
  const directives: Directive[] = [];
  for (const word of hasFile ? others : words) {
    if (word.startsWith('--')) directives.push({ name: word.slice(2).toLowerCase(), values: [] });
    else if (word !== '-') directives.at(-1)?.values.push(word);
  }
  return { file: hasFile ? first : undefined, directives };
}
