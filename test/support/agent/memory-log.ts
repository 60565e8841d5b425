import type { Log, LogFields } from '../../../src/domain/log.ts';

export interface LogEntry extends LogFields {
  level: string;
  message: string;
}

/** A log that a test can read. */
export function memoryLog(entries: LogEntry[] = [], bound: LogFields = {}): Log & { entries: LogEntry[] } {
  const write =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void entries.push({ ...bound, ...fields, level, message });
  return {
    entries,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => memoryLog(entries, { ...bound, ...fields }),
  };
}
