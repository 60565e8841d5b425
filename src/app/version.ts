import manifest from '../../package.json' with { type: 'json' };

/** The agent's own version. */
export const agentVersion: string = manifest.version;
