import { AgentError, type Reason } from '../domain/errors.ts';
import type { UpClass } from '../domain/sample.ts';

/** By the reason of the error; what is not here is `unreachable`. */
const classes: Readonly<Partial<Record<Reason, UpClass>>> = {
  busy: 'busy',
  loading: 'loading',
  misconf: 'misconf',
  refused: 'refused',
  closed: 'refused',
  timeout: 'timeout',
  noauth: 'noauth',
  wrongpass: 'noauth',
  maxclients: 'maxclients',
};

/** What a failure says about how the server is. */
export function classOf(error: unknown): UpClass {
  const reason = error instanceof AgentError ? error.reason : undefined;
  return (reason && classes[reason]) ?? 'unreachable';
}
