import type { LogLevel } from '../app/logger.ts';
import type { GlobalOptions } from './define-command.ts';

/** A command's result says what there is to say; a daemon has only its log. */
export function logLevel(globals: GlobalOptions, daemon: boolean): LogLevel {
  if (globals.verbose === true) return 'debug';
  if (globals.quiet === true || !daemon) return daemon ? 'warn' : 'silent';
  return 'info';
}
