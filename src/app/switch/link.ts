import type { Server } from 'node:net';
import type { UserId } from '../../lib/process/act-as.ts';
import type { LoadedSettings } from '../../config/load.ts';
import type { Consumers } from '../../harden/rotate/consumers.ts';
import type { FirewallFacts } from '../../harden/read/firewall.ts';
import type { HandsProcess } from '../hands/start.ts';

/** The way to the root that does for this process what only root may. */
export interface SwitchLink {
  /** Rejects with what was thrown there. */
  ask(verb: string, args: readonly unknown[]): Promise<unknown>;
  /** The same of who changes configurations that are root's own; see rootFileVerbs. */
  askEtc(verb: string, args: readonly unknown[]): Promise<unknown>;
  /** Who works in the folders of that instance's server, with the rights of that user. */
  openHands(instance: string, user: UserId): Promise<HandsProcess>;
  /** See reserveLowPort. */
  reservePort(): Promise<Server | undefined>;
  /** Who is told a new password, where root tells them. */
  consumers?: Consumers;
  /** Of this host, where root looks at it for us. */
  firewall?(this: void): Promise<FirewallFacts>;
  /** The configuration, where root has read it for us. */
  settings(): Promise<LoadedSettings | undefined>;
}
