import { AgentError } from '../../../domain/errors.ts';

/** The number of an alert or a silence, as it is typed. Throws an AgentError `usage`. */
export function alertNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new AgentError('usage', `${JSON.stringify(text.slice(0, 40))} is no number`, {
    hint: 'take one of: redis-agent alerts list',
  });
}
