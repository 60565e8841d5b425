/** What main takes for the start of a process that gives root up before it works. */
export const mindCommand = 'work-less-root';
