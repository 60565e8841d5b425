/** How far long work is. Bytes when `unit` is given, else a share of 1. */
export interface ProgressReport {
  phase: string;
  done?: number;
  total?: number;
  unit?: 'bytes';
}

/** Where work reports to: a bar on a terminal, a line now and then elsewhere, nothing in the daemon. */
export interface Progress {
  report(state: ProgressReport): void;
}
