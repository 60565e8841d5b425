import type { Info } from '../../../formats/info/parse-info.ts';
import type { ServerArguments } from '../../../formats/conf/server-arguments.ts';
import type { UserId } from '../../../lib/process/act-as.ts';
import type { ServiceControl } from '../../../redis/service/service.ts';
import type { ConfFacts } from '../facts.ts';
import type { FileOwnership } from '../file-ownership.ts';
import type { DataFolder } from '../folder/data-folder.ts';
import type { Layout } from '../layout.ts';

/** What this host knows of an instance's server, whatever that says itself. Plain data. */
export interface HostSight {
  /** Its process, where it runs here. */
  pid?: number | undefined;
  /** Whose that is. */
  owner?: UserId | undefined;
  /** How it is stopped and started; undefined when nobody knows. */
  service?: SeenService | undefined;
  /** As whom it runs: by its unit, else the configuration (`named`), else `owner`. */
  user?: (UserId & { named: boolean }) | undefined;
}

export interface SeenService {
  /** For people. */
  description: string;
  /** Of its start command, as far as that shows them. */
  program?: string | undefined;
  arguments?: ServerArguments | undefined;
  kind: 'unit' | 'commands';
  /** Nobody manages it, and no command is configured that stops it: it has to be asked itself. */
  endsItself: boolean;
}

/** Where a server's configuration is. */
export interface ConfSource {
  file: string | undefined;
  directives: ServerArguments['directives'];
  /** `data_dir:` of the instance, which replaces what is written. */
  dataDir: string | undefined;
}

/**
 * The host that an instance's server runs on, as a restore needs it: by this process, or asked of whoever may. Each rejects
 * with an AgentError, or with what the system says.
 */
export interface RestoreHost {
  /** Others' work is done here with their rights: whose must be known. Else all is done as ourselves. */
  readonly actsForOthers: boolean;
  /** `info`: of a server that answers. Its service, and as whom work is done, are from then on as found here. */
  look(info: Info | undefined): Promise<HostSight>;
  /** What the next start will go by, read with the rights of the server's user. */
  readConf(source: ConfSource): Promise<ConfFacts>;
  /** Its data directory, named as its configuration does. */
  openFolder(named: string, layout: Layout): Promise<DataFolder>;
  /** Numbers of the server's processes that work in a data directory, and of their children. */
  processesIn(dir: string): Promise<number[]>;
  /** Sends them a signal; resolves with the numbers of those that there were. */
  end(dir: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<number[]>;
  /** Of the service that look has found; undefined where nobody knows. What it takes is for servers that no manager has. */
  control(plain: PlainControl): ServiceControl | undefined;
}

export interface PlainControl {
  /** Its data directory, and who takes what it writes to its standard output there. */
  dir: string;
  user: UserId;
  readOutput: () => Promise<string>;
  /** Asks the server itself to end. */
  end: () => Promise<void>;
  /** From where it is started. */
  startIn: () => string;
}

/** Where a server has its data, and how files are to be there. */
export interface FoundFolder {
  /** Absolute, without symbolic links. */
  dir: string;
  ownership: FileOwnership;
}
