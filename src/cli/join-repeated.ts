/**
 * Joins the values of an option that may be given more than once, by a byte that no argument can hold: yargs would take
 * the last of them only, or else make lists of every option, and takes the words behind a list's value for more of it.
 */
export function joinRepeated(argv: readonly string[], option: string): string[] {
  const words: string[] = [];
  let first = -1;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    const next = argv[at + 1];
    if (word === '--') return [...words, ...argv.slice(at)];
    const joined = word.startsWith(`${option}=`);
    if (!joined && (word !== option || next === undefined || next.startsWith('-'))) {
      words.push(word);
      continue;
    }
    const value = joined ? word.slice(option.length + 1) : next;
    if (!joined) at++;
    if (first < 0) first = words.push(`${option}=${value}`) - 1;
    else words[first] += `\0${value}`;
  }
  return words;
}
