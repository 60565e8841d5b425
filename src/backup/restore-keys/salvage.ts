import { shellWord } from '../../lib/process/shell-word.ts';

/** What to type for what is sound of a damaged dump: a path, or a backup's id. */
export function salvageCommand(dump: string): string {
  return `redis-agent restore ${shellWord(dump)} --keys '*' --into URL --skip-damaged`;
}
