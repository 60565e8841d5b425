import { reasons, type ErrorCode, type Reason, type ReasonOf } from './reasons.ts';

export { errorCodes, reasons, type ErrorCode, type Reason, type ReasonOf } from './reasons.ts';

export interface AgentErrorOptions<C extends ErrorCode = ErrorCode> {
  /** The next step, as a sentence without its full stop: what to type, grant or change. */
  hint?: string | undefined;
  /** What it is, among errors of its code, where somebody tells that apart. */
  reason?: ReasonOf<C> | undefined;
  /** `locked`: the job that holds the lock. */
  holder?: string | undefined;
  cause?: unknown;
}

/** Code, message and options: a reason is one of its code's. */
type AgentErrorArguments = {
  [C in ErrorCode]: [code: C, message: string, options?: AgentErrorOptions<C>];
}[ErrorCode];

/**
 * The one error that people see: what failed and why (`message`), and what to do next (`hint`).
 * Neither may hold a secret. Anything else that is thrown is a defect and is reported as one.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly reason: Reason | undefined;
  readonly holder: string | undefined;

  constructor(...[code, message, options = {}]: AgentErrorArguments) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.reason = options.reason;
    this.holder = options.holder;
  }

  /** The same error in other words, with its own hint where none is given; null takes that away. */
  retold(message: string, hint: string | null | undefined = this.hint): AgentError {
    const { code, reason, holder } = this;
    return new AgentError(
      ...argumentsOf({ code, message, reason, hint: hint ?? undefined, holder, cause: this }),
    );
  }
}

/** Is it one of ours, for one of these reasons? */
export function hasReason<R extends Reason>(
  error: unknown,
  ...wanted: readonly R[]
): error is AgentError & { reason: R } {
  return error instanceof AgentError && wanted.some((reason) => reason === error.reason);
}

/** An error as other processes tell of it. */
export interface ToldError {
  code: ErrorCode;
  message: string;
  reason?: string | undefined;
  hint?: string | undefined;
  holder?: string | undefined;
  cause?: unknown;
}

/** What makes an error of one that is told of; a reason that its code does not have is left out. */
export function argumentsOf({ code, message, reason, ...rest }: ToldError): AgentErrorArguments {
  const known: readonly string[] = reasons[code];
  const options = { ...rest, reason: known.find((each) => each === reason) };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one of its code's, as was just seen
  return [code, message, options] as AgentErrorArguments;
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
