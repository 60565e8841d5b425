import pretty from 'pino-pretty';

/** Readable lines for a terminal. Loaded only for one. */
export function prettyStream(fd: number): { write(line: string): unknown } {
  return pretty({
    destination: fd,
    sync: true,
    colorize: true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
  });
}
