import * as z from 'zod';
import type { ListenSettings } from '../../domain/settings/listen.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { fail, secretRef } from '../fields.ts';
import type { Section } from './section.ts';

const form = 'write 127.0.0.1:9722, unix:///run/redis-agent/http.sock, or { address: …, token: { file: … } }';

/** Written out: a union's own messages would say nothing. */
export const listenSection: Section<ListenSettings | undefined> = {
  schema: (folder) =>
    z
      .unknown()
      .transform((input, context): ListenSettings => {
        const entries =
          typeof input === 'object' && input !== null ? Object.entries(input) : [['address', input]];
        const given = new Map<string, unknown>(entries.map(([key, value]) => [String(key), value]));
        const unknown = [...given.keys()].find((key) => key !== 'address' && key !== 'token');
        if (unknown !== undefined) return fail(context, `does not know the key ${unknown}; ${form}`);
        const address = parseAddress(given.get('address'));
        if (address === undefined) return fail(context, `is no address; ${form}`);
        const token = given.has('token') ? secretRef(folder).safeParse(given.get('token')) : undefined;
        if (token?.success === false)
          return fail(context, `its token: ${token.error.issues[0]?.message ?? form}`);
        if (token === undefined && 'host' in address && !isLoopback(address.host))
          return fail(
            context,
            `would show everybody at ${address.host} what this server does; give it a token: { address: …, token: { file: … } }, or listen on 127.0.0.1`,
          );
        return { address, ...(token !== undefined && { token: token.data }) };
      })
      .optional(),
  show: (listen) => {
    if (listen === undefined) return undefined;
    const { address, token } = listen;
    const text =
      'socket' in address ? `unix://${address.socket}` : `${bracketed(address.host)}:${address.port}`;
    return token === undefined ? text : { address: text, token };
  },
  example: `# The report as a page (/), due dates (/maintenance.ics), /metrics (Prometheus) and /healthz. Nothing listens when
# left out. With a token, who asks brings it as a bearer token, or as the password that a browser asks for.
# listen: 127.0.0.1:9722                       # or unix:///run/redis-agent/http.sock
# listen: { address: "0.0.0.0:9722", token: { file: /etc/redis-agent/secrets/metrics } }
`,
};

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

function parseAddress(value: unknown): ListenSettings['address'] | undefined {
  if (typeof value !== 'string') return undefined;
  const socket = /^unix:\/\/(\/[^\p{Cc}]{1,100})$/u.exec(value)?.[1];
  if (socket !== undefined) return { socket };
  const {
    1: ipv6,
    2: host = ipv6,
    3: port,
  } = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]{1,253})):(\d{1,5})$/.exec(value) ?? [];
  const number = Number(port);
  if (host === undefined || !(number >= 1 && number <= 65_535)) return undefined;
  return { host, port: number };
}
