import { AgentError } from '../../domain/errors.ts';

/** Damage that was found in a stored backup: says in which one, and what to do, where the error tells only the place. */
export function nameDamage(id: string, error: unknown): unknown {
  if (!(error instanceof AgentError) || error.code !== 'damaged' || error.hint !== undefined) return error;
  const { message } = error;
  return error.retold(
    message.includes(id) ? message : `backup ${id}: ${message}`,
    'nothing was changed; see which others are sound: redis-agent backups verify --all',
  );
}
