export type LogFields = Record<string, unknown>;

/** Structured logging as a dependency (pino behind it). Messages are constant text; what varies goes into fields. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Log;
}
