/** Everything that no output may ever hold: what writeConfig wrote, and what a test adds. Of one file of tests. */
export const knownSecrets = new Set<string>();
