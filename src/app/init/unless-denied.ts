import { hasReason } from '../../domain/errors.ts';

/** Undefined when this user may not. */
export async function unlessDenied<T>(
  call: () => Promise<T>,
  onDenied?: (why: string) => void,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!hasReason(error, 'noperm')) throw error;
    onDenied?.(withoutName(error.message));
    return undefined;
  }
}

/** The servers have no names yet. */
export function withoutName(message: string): string {
  return message.replace(/^instance \S+: /, '');
}
