import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { AgentError } from '../../domain/errors.ts';
import { describeReadFailure } from '../../lib/files/file-owner.ts';
import type { S3StoreOptions } from './s3-options.ts';

/** As many as the SDK's own. */
const sockets = 50;

/** Connections through a proxy, or with another authority; nothing where the SDK's own will do. */
export function agentsOf({ proxy, ca, env }: Pick<S3StoreOptions, 'proxy' | 'ca' | 'env'>): {
  httpAgent?: HttpAgent;
  httpsAgent?: HttpsAgent;
} {
  const proxyEnv = proxyEnvOf(proxy, env);
  if (proxyEnv === undefined && ca === undefined) return {};
  const common = { keepAlive: true, maxSockets: sockets, ...(proxyEnv && { proxyEnv }) };
  return {
    httpAgent: new HttpAgent(common),
    httpsAgent: new HttpsAgent({ ...common, ...(ca === undefined ? {} : { ca: readCa(ca) }) }),
  };
}

/** The variables that Node's agents know. */
function proxyEnvOf(
  proxy: string | undefined,
  env: NodeJS.ProcessEnv | undefined,
): Record<string, string> | undefined {
  if (proxy === 'none') return undefined;
  if (proxy !== undefined) return { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  const named = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].flatMap((name) => {
    const value = env?.[name.toLowerCase()] ?? env?.[name];
    return value === undefined || value === '' ? [] : [[name, value]];
  });
  const found: Record<string, string> = Object.fromEntries(named);
  return 'HTTPS_PROXY' in found || 'HTTP_PROXY' in found ? found : undefined;
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new AgentError('usage', `repository.ca: cannot read ${path}: ${describeReadFailure(path, cause)}`, {
      cause,
      hint: 'it takes a file of PEM certificates',
    });
  }
}
