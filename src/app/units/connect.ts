import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';

/** Connects to the socket of a unit. Rejects with an AgentError `failed` that names the unit; `what` it is needed for. */
export async function connectUnit(path: string, unit: string, what: string): Promise<Socket> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const code = systemCode(error);
    const missing = code === 'ENOENT' || code === 'ECONNREFUSED';
    throw new AgentError('failed', `cannot ${what} by ${path}: ${messageOf(error)}`, {
      cause: error,
      reason: 'unit',
      hint: missing
        ? `sudo systemctl enable --now ${unit}; sudo redis-agent init --units writes those of each server's user`
        : `see: systemctl status ${unit}; or do it as root, with sudo`,
    });
  }
}
