import { AgentError, argumentsOf, errorCodes, systemCode } from '../../domain/errors.ts';
import { printable } from '../text/printable.ts';

/** What was thrown in another process, as it comes over. */
export interface ErrorWords {
  message: string;
  /** Of a system error: ENOENT, EACCES … */
  system?: string;
  /** Of an AgentError. */
  agent?: {
    code: string;
    reason?: string | undefined;
    hint?: string | undefined;
    holder?: string | undefined;
  };
}

/** The other process refused, or failed, by what the system told it. */
class RemoteError extends Error {
  override readonly name = 'RemoteError';
  /** Of a system error, as Node has it. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

export function errorWords(error: unknown): ErrorWords {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof AgentError) {
    const { code, reason, hint, holder } = error;
    return { message, agent: { code, reason, hint, holder } };
  }
  const system = systemCode(error);
  return { message, ...(system === undefined ? {} : { system }) };
}

const longest = 2000;

/** The error again. Nothing in it is believed but that it is text. */
export function errorFrom(value: unknown): Error {
  const { message, system, agent } = fields(value);
  const said = text(message) ?? 'it failed and did not say why';
  if (agent === undefined) return new RemoteError(said, text(system));
  const { code, reason, hint, holder } = fields(agent);
  return new AgentError(
    ...argumentsOf({
      code: errorCodes.find((known) => known === code) ?? 'failed',
      message: said,
      reason: text(reason),
      hint: text(hint),
      holder: text(holder),
    }),
  );
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? printable(value.slice(0, longest)) : undefined;
}
