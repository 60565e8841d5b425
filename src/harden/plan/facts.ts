import type { ConfDocument } from '../../formats/conf/document.ts';
import type { EngineVersion } from '../../formats/conf/engine.ts';
import type { ConfEntry } from '../../redis/conf/resolve-conf.ts';
import type { Policy } from '../policy.ts';

/** Where a client comes from, and which of the server's addresses and ports it uses; undefined where that cannot be seen. */
export interface ConnectedClient {
  from: string;
  to: string | undefined;
  port: number | undefined;
  user: string | undefined;
}

/** All that a plan is made from. */
export interface PlanFacts {
  policy: Policy;
  engine: EngineVersion;
  /** CONFIG GET *. */
  config: ReadonlyMap<string, string>;
  /** The files of its next start, the main one first, and their directives in the order in which they count. */
  files: readonly { path: string; document: ConfDocument }[];
  entries: readonly ConfEntry[];
  /** Bytes that it may use: its container's limit or its host's memory; undefined where neither can be seen. */
  memory: number | undefined;
  usedMemory: number;
  connectedClients: number;
  /** The user `default`: may it do everything, as the next start has it, and does it take no password? */
  defaultMayAll: boolean | undefined;
  defaultOpen: boolean | undefined;
  /** Without the agent's own connection; undefined: whoever asks may not list them. */
  clients: readonly ConnectedClient[] | undefined;
  /** The agent's own way in. */
  agent: { url: string; hasCertificate: boolean; from: string | undefined; to: string | undefined };
  /** Of an aclfile that the policy names: has it a line for `default`? undefined: it cannot be read. */
  aclfile: boolean | undefined;
}
