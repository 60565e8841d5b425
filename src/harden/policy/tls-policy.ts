import type { Policy, Wish } from '../policy.ts';

export interface TlsWishes {
  cert: string;
  key: string;
  ca: string;
  port: number;
  /** yes: clients need a certificate; optional; no. */
  clients: 'yes' | 'no' | 'optional';
  /** The plain port is closed: everybody has moved. */
  closePlain: boolean;
  /** See Policy. */
  clientsMoved: boolean;
}

const source = 'https://redis.io/docs/latest/operate/oss_and_stack/management/security/encryption/';

/** TLS beside the plain port, or instead of it, as a policy: so that it is planned, tried and taken back as any other. */
export function tlsPolicy({ cert, key, ca, port, clients, closePlain, clientsMoved }: TlsWishes): Policy {
  return {
    name: 'tls',
    asked: 'tls',
    summary: 'encrypted connections',
    clientsMoved,
    wishes: [
      wish('tls-cert-file', cert, 'The certificate that is shown to clients.'),
      wish('tls-key-file', key, 'Its key.'),
      wish('tls-ca-cert-file', ca, 'Who signs certificates of clients and replicas.'),
      wish('tls-auth-clients', clients, 'Whether clients need a certificate of their own.'),
      wish(
        'tls-port',
        String(port),
        'Where clients connect by TLS, beside the plain port until all have moved.',
      ),
      ...(closePlain
        ? [wish('port', '0', 'Passwords and data no longer go over the network in the clear.')]
        : []),
    ],
  };
}

function wish(name: string, value: string, reason: string): Wish {
  return { name, value: [value], accept: {}, reason, source, from: 'tls' };
}
