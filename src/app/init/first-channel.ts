import { AgentError } from '../../domain/errors.ts';
import { yamlText } from './first-config.ts';

/** Who is to hear of trouble, as the first configuration says it. */
export interface FirstChannel {
  /** The section `alerts:`. */
  yaml: string;
  /** A web hook's address is a secret: it goes into a file of this name. */
  secret: { file: string; text: string } | undefined;
}

export interface ChannelPlace {
  /** This host's own name, for who a mail is from. */
  host: string;
  /** Where mails are handed in: smtp://host:port. */
  smtp: string;
  /** Where secrets are kept. */
  secrets: string;
}

/** Hosts of services whose messages have a form of their own; every other web hook gets ours. */
const services = [
  ['slack', /(^|\.)slack\.com$/],
  ['discord', /(^|\.)discord(app)?\.com$/],
  ['teams', /(^|\.)(webhook\.office\.com|logic\.azure\.com|powerplatform\.com)$/],
] as const;

/** An e-mail address, or the address of a web hook. Throws an AgentError `usage` for anything else. */
export function firstChannel(answer: string, { host, smtp, secrets }: ChannelPlace): FirstChannel {
  const to = answer.trim();
  if (/^[^\s@,;<>"]+@[^\s@,;<>"]+$/.test(to)) {
    const lines = [
      'name: mail',
      'type: email',
      `from: ${yamlText(`redis-agent@${host}`)}`,
      `to: [${JSON.stringify(to)}]`,
      `smtp: { url: ${JSON.stringify(smtp)} }`,
    ];
    return { yaml: section(lines), secret: undefined };
  }
  const url = URL.canParse(to) ? new URL(to) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new AgentError('usage', 'that is no e-mail address and no address of a web hook', {
      hint: 'ops@example.org, or https://…; other channels: redis-agent config example alerts',
    });
  const [type] = services.find(([, hosts]) => hosts.test(url.hostname)) ?? ['webhook'];
  const file = `${secrets}/alerts`;
  const where = `{ file: ${yamlText(file)} }`;
  const lines = [`name: chat`, `type: ${type}`, `${type === 'webhook' ? 'url' : 'webhook'}: ${where}`];
  return { yaml: section(lines), secret: { file, text: to } };
}

function section(lines: string[]): string {
  const [first = '', ...rest] = lines;
  return `alerts:
  channels:
    - ${first}
${rest.map((line) => `      ${line}\n`).join('')}`;
}
