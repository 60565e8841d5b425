import type { Change } from '../changes.ts';
import type { CertificateFacts } from '../facts.ts';

/** What the server is to read again: it goes on with the old certificate until it is told to. Undefined: nothing. */
export function certificateChange(
  certificate: CertificateFacts | undefined,
  changed: readonly Change[],
): Change | undefined {
  if (certificate === undefined) return undefined;
  const { served, file, path, renewed } = certificate;
  const isRead = changed.some(({ directive }) => directive.startsWith('tls-') && directive.endsWith('-file'));
  if (path === undefined || served === undefined || file === undefined || served === file || isRead)
    return undefined;
  if (renewed !== true) return undefined;
  return {
    directive: 'tls-cert-file',
    to: path,
    run_time: path,
    file: path,
    place: null,
    class: 'run time',
    reason:
      'The certificate on disk is newer than the one that is served: named again, the server reads it and its key.',
    source: 'https://github.com/redis/redis/issues/8756',
    risk: 'connections that are open stay; clients that verify need to trust its issuer',
    inverse: 'none: the old certificate is no longer on disk',
  };
}
