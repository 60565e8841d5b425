/** What main takes for the start of a process that works in a data directory. */
export const handsCommand = 'work-in-folder';
