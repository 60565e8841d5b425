/**
 * What an error means to the person or script that called us. One code, one exit status
 * (cli/exit-code.ts holds the only map).
 */
export const errorCodes = [
  'failed',
  'usage',
  'redis',
  'repository',
  'damaged',
  'refused',
  'locked',
  'interrupted',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export interface AgentErrorOptions {
  /** The next step, as a sentence without its full stop: what to type, grant or change. */
  hint?: string;
  /** A narrower machine-readable reason, e.g. `exists`, `denied`, `full`, `wrongpass`. */
  reason?: string;
  cause?: unknown;
}

/**
 * The one error that people see: what failed and why (`message`), and what to do next (`hint`).
 * Neither may hold a secret. Anything else that is thrown is a defect and is reported as one.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly reason: string | undefined;

  constructor(code: ErrorCode, message: string, options: AgentErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.reason = options.reason;
  }
}

/** The message of anything thrown, for use inside another error's message. One line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

/** The `code` of a Node system error (`ENOENT`, `EACCES` …), or undefined. */
export function systemCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
