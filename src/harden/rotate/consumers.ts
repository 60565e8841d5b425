/** What a hook reads on its stdin, as one JSON document. */
export interface HookInput {
  instance: string;
  user: string;
  password: string;
}

/** Whoever a new password is handed to: by files, each with the rights of its owner, and by programs. */
export interface Consumers {
  /** Why that file cannot be written; undefined where nothing is against it. */
  whyNotFile(path: string): Promise<string | undefined>;
  writeFile(path: string, password: string): Promise<void>;
  /** Why that program is not run; undefined where nothing is against it. */
  whyNotHook(program: string): Promise<string | undefined>;
  /** Rejects with an AgentError `failed` where it does not end well. */
  runHook(program: string, input: HookInput, signal: AbortSignal): Promise<void>;
}
