import type { ServerConfig } from '../../domain/server-config.ts';
import { printable } from '../../lib/text/printable.ts';

/** As lines of redis.conf, what only a person can use in comments. */
export function renderKeptConfig(config: ServerConfig | null): string {
  if (config === null) return 'how the server was set up is not kept with this backup';
  const directives = Object.entries(config.config).map(
    ([name, value]) => `${name} ${value === '' ? '""' : value}`,
  );
  const lines = [
    `# what it ran with at ${config.at}${config.masked ? ', without passwords and their hashes: the backup is not encrypted' : ''}`,
    ...directives,
    ...(config.acl === null ? [] : ['', '# its users', ...config.acl]),
    ...config.files.flatMap(({ path, text }) => ['', `# ${path}`, ...text.replace(/\n$/, '').split('\n')]),
    ...(config.missing.length === 0
      ? []
      : ['', '# could not be seen', ...config.missing.map((each) => `# ${each}`)]),
  ];
  return lines.map(printable).join('\n');
}
