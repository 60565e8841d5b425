import { AgentError } from '../../../domain/errors.ts';

/** What connecting calls a setting of an instance, and which flag says the same of a server that is in none. */
const flags: [RegExp, string][] = [
  [/\btls\.ca of this instance/, '--ca-file'],
  [/\btls\.cert and tls\.key of this instance/, '--cert-file and --key-file'],
  [/\btls\.server_name of this instance/, '--server-name'],
  [/\btls\.cert, tls\.key\b/, '--cert-file, --key-file'],
  [/\btls\.ca\b/g, '--ca-file'],
  [/\btls\.cert\b/g, '--cert-file'],
  [/\btls\.key\b/g, '--key-file'],
  [/both files of instance \S+/, 'both files'],
  [/the tls section of this instance/, '--ca-file, --cert-file and --key-file'],
  [
    /set password, and username for an ACL user, of this instance/,
    'give --password-file, and --username for an ACL user',
  ],
  [/username and password of this instance/, '--username and its password'],
  [/\b(check|in) url\b/g, '$1 --into'],
];

/** Lets an error speak of flags, where the server was named by a URL: there is no configuration to mend. */
export async function inFlags<T>({ into }: { into: string }, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const byUrl = /^(env|file):|:\/\//.test(into);
    if (!(error instanceof AgentError) || error.code !== 'redis' || !byUrl) throw error;
    const { code, message, hint, reason, cause } = error;
    throw new AgentError(code, told(named(message)), {
      cause,
      ...(hint === undefined ? {} : { hint: told(hint) }),
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

/** It is no instance, but has to be named where the URL does not do so. */
function named(message: string): string {
  return message.replace(/^instance \S+: (?=cannot connect)/, '').replace(/^instance (?=\S+: )/, '');
}

function told(text: string): string {
  return flags.reduce((so, [pattern, flag]) => so.replace(pattern, flag), text);
}
