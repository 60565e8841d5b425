/** A number with its noun, in the singular where it is one: `1 key`, `2 keys`, `0 replies`. */
export function counted(count: number, noun: string, several = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : several}`;
}

/** The word that goes with a number of things: `is` or `are`, `waits` or `wait`. */
export const verb = (count: number, one: string, several: string): string => (count === 1 ? one : several);
