import { hasReason } from '../../domain/errors.ts';
import type { RedisConnection } from './connect.ts';

/** This connection's number in CLIENT LIST; undefined where its user may not ask. */
export async function ownClientId(connection: RedisConnection): Promise<number | undefined> {
  try {
    return Number(await connection.call('CLIENT', 'ID'));
  } catch (error) {
    if (hasReason(error, 'noperm', 'unknown-command')) return undefined;
    throw error;
  }
}
