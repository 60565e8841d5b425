import { pino, type Logger } from 'pino';
import type { Log } from '../domain/log.ts';
import type { Secret } from '../domain/secret.ts';
import { redactText } from '../config/redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'silent';

export interface LoggerOptions {
  level: LogLevel;
  /** 1 for the daemon (journald reads it), 2 for commands, whose stdout is their result. */
  fd: 1 | 2;
  /** Readable lines for a terminal instead of JSON. */
  pretty: boolean;
  /** Every secret value read so far: none of them leaves, wherever it got into a line. */
  secrets: () => readonly Secret[];
}

/** Bytes of lines that are held back while they cannot be written; what comes then is lost. */
const mostHeld = 1024 * 1024;

/** pino, in process and synchronous: no worker thread to lose the last lines in a crash. */
export async function createLogger(options: LoggerOptions): Promise<Log> {
  const sink = pino.destination({ fd: options.fd, sync: true, maxLength: mostHeld });
  // A full disk below the log ends no backup.
  sink.on('error', () => {});
  const target = options.pretty ? (await import('./pretty-stream.ts')).prettyStream(options.fd) : sink;
  const redacting = {
    write(line: string): void {
      target.write(redactText(line, options.secrets()));
    },
  };
  return adapt(
    pino(
      {
        level: options.level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      redacting,
    ),
  );
}

function adapt(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => adapt(logger.child(fields)),
  };
}
