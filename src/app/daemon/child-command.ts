/** What main takes for the start of a child of the daemon. */
export const childCommand = 'work-for-daemon';
