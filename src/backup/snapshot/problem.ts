/** One thing that speaks against a save: what, why (with figures), what to do. */
export interface Problem {
  check: 'loading' | 'replica' | 'last-save' | 'place' | 'disk' | 'memory' | 'overcommit' | 'cgroup';
  what: string;
  why: string;
  next: string;
}

export interface Judgement {
  refusals: Problem[];
  warnings: Problem[];
}
