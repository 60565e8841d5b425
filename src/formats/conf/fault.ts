/** What is wrong with one line. No message holds a value that may be a secret. */
export interface ConfFault {
  line: number;
  /** Characters, from 1. */
  column: number;
  kind:
    | 'bom'
    | 'nul'
    | 'quote'
    | 'trailing-comment'
    | 'unknown'
    | 'unprobed'
    | 'arity'
    | 'value'
    | 'rule'
    | 'combination';
  message: string;
  /** fatal: the server does not start · trap: it starts, and not as it is meant · doubt: nobody here can say. */
  weight: 'fatal' | 'trap' | 'doubt';
  /** The directive; undefined of a line that is none. */
  name: string | undefined;
  /** What the line should be, for people. */
  right: string | undefined;
  /** What a mended file has instead of it, line by line; undefined: the line becomes a comment. */
  mended: string[] | undefined;
}

/** Directives whose values are never shown. */
const secret = new Set([
  'requirepass',
  'masterauth',
  'primaryauth',
  'tls-key-file-pass',
  'tls-client-key-file-pass',
  'user',
  'sentinel',
  'rename-command',
]);

export function holdsSecret(name: string): boolean {
  return secret.has(name);
}
