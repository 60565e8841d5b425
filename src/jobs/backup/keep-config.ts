import { hash } from 'node:crypto';
import { encryptAge } from '../../backup/artefact/age-encrypt.ts';
import { gatherServerConfig } from '../../backup/server-config.ts';
import type { Manifest } from '../../domain/backup.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { lastMark, mark } from '../../state/alerts/marks.ts';
import type { JobContext } from '../job.ts';

/** Somebody who looks for attackers reads ACL LOG: what was refused there is tried so seldom. Milliseconds. */
const aclPause = 30 * 24 * 60 * 60 * 1000;

/**
 * Keeps how the server is set up beside a backup, before its manifest, encrypted as it is; in the clear without passwords and their hashes.
 * What belongs into the manifest; undefined where the server could not be asked: a backup does not fail for that.
 */
export async function keepConfig(context: JobContext, id: string): Promise<Manifest['config']> {
  const { repository, settings, clock, signal, log, state, instance } = context;
  const { age_recipients: recipients } = settings.repository.encryption;
  let text: string;
  try {
    const connection = await context.connect();
    try {
      const masked = recipients.length === 0;
      const now = clock.now();
      const refused = `acl-list-refused ${instance.name}`;
      const last = lastMark(state(), refused);
      const users = last === undefined || now - last > aclPause || now < last;
      const config = await gatherServerConfig(connection, { now, masked, users });
      if (users && config.acl === null) mark(state(), refused, now);
      text = `${JSON.stringify(config, undefined, 2)}\n`;
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof AgentError) || signal.aborted) throw error;
    log.warn({ backup: id, cause: messageOf(error) }, 'how the server is set up is not kept');
    return undefined;
  }
  const sealed: Buffer[] = [];
  const plain = once(Buffer.from(text));
  for await (const chunk of recipients.length === 0 ? plain : encryptAge(plain, recipients))
    sealed.push(Buffer.from(chunk));
  const bytes = Buffer.concat(sealed);
  const name = recipients.length === 0 ? 'config.json' : 'config.json.age';
  await repository.store.put(`${repository.instance}/${id}/${name}`, once(bytes), { signal });
  return { name, bytes: bytes.length, sha256: hash('sha256', bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
