import { AgentError } from '../domain/errors.ts';
import { closest } from '../lib/text/closest.ts';
import { sections } from './sections/index.ts';

const header = `# The configuration of redis-agent: /etc/redis-agent/config.yaml, or what --config or $REDIS_AGENT_CONFIG names.
# \`redis-agent config check\` proves it; \`config show\` prints it with every default filled in; \`config schema > FILE\`
# writes what editors need to complete and check it.
#
# - Everything that is commented out shows another possibility or the default.
# - Unknown keys are errors. YAML 1.2: no tags; text that begins with * & ! @ % or holds ": " needs quotes.
# - Durations: 500ms 15s 5m 6h 7d. Relative paths count from this file's folder.
# - Secrets are never written here, only where they are kept:
#     { file: PATH }         a file that others may neither read nor write (chmod 0600, or 0640 with the agent's group);
#                            one line end at its end does not count
#     { env: NAME }          an environment variable of the agent
#     { credential: NAME }   a systemd credential: LoadCredential=NAME:PATH in the unit
`;

/** conf/config.example.yaml: every section with its comments, in order. Or one section of it. */
export function exampleConfig(section?: string): string {
  if (section === undefined)
    return [header, ...Object.values(sections).map(({ example }) => example)].join('\n');
  const found = Object.entries(sections).find(([name]) => name === section);
  if (found !== undefined) return found[1].example;
  const names = Object.keys(sections);
  const near = closest(section, names);
  throw new AgentError('usage', `there is no section ${JSON.stringify(section.slice(0, 80))}`, {
    reason: 'missing',
    hint: near === undefined ? `there are: ${names.join(', ')}` : `did you mean ${near}?`,
  });
}
