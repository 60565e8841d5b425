import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { WriterIdentity } from '../domain/backup.ts';

/** This host, as manifests name it. The machine id is confidential (machine-id(5)), so only a keyed hash leaves. */
export function readWriterIdentity(agentVersion: string): WriterIdentity {
  const host = hostname();
  const machine = createHash('sha256')
    .update(`redis-agent:${readMachineId() ?? host}`)
    .digest('hex')
    .slice(0, 32);
  return { host, machine, agent_version: agentVersion };
}

function readMachineId(): string | undefined {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = readFileSync(path, 'utf8').trim();
      if (id !== '' && id !== 'uninitialized') return id;
    } catch {
      // Containers often have none: the host name has to do.
    }
  }
  return undefined;
}
