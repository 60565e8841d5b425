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
    onDenied?.(error.message);
    return undefined;
  }
}
