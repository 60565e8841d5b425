import type { GuessedRole } from './role.ts';

/** What the first configuration says. Paths are absolute. */
export interface FirstConfig {
  instances: {
    name: string;
    url: string;
    username: string;
    passwordFile: string;
    tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
    service?: string | undefined;
    role?: GuessedRole | undefined;
  }[];
  repository: string;
  state: string;
  /** The section `alerts:`, where somebody is to hear of trouble. */
  alerts?: string | undefined;
  /** Folder for further secrets, in examples. */
  secrets: string;
}

/** The text of config.yaml: what counts is written out, what could be is a comment that can be uncommented. */
export function renderFirstConfig({ instances, repository, state, alerts, secrets }: FirstConfig): string {
  const example = (file: string): string => yamlText(`${secrets}/${file}`);
  return `# The configuration of redis-agent, as init has found this host.
# After a change: redis-agent config check. A running daemon reads it again on SIGHUP
# (systemctl reload redis-agent). Passwords are never in here, only where they are kept.

instances:
${instances.map(renderInstance).join('\n')}
# Where backups are kept: PATH/INSTANCE/ID/. A disk that fails takes the backups on it along:
# choose another one than the server's, a mounted share, or an S3-compatible service.
repository:
  type: filesystem
  path: ${yamlText(repository)}
  # In S3 instead of type and path above:
  # type: s3
  # bucket: example-backups
  # prefix: redis
  # region: eu-central-1
  # endpoint: https://s3.example.net     # for other services than Amazon's
  # credentials:                         # left out: environment, shared files or the machine's role
  #   access_key_id: { file: ${example('s3-id')} }
  #   secret_access_key: { file: ${example('s3-key')} }
  #
  # Encrypt before anything leaves this host. Make a key with age-keygen -o FILE, and keep a
  # copy of it elsewhere: without it no backup can be read.
  # encryption:
  #   age_recipients: [age1…]              # its public key
  #   # to verify and restore; not to back up:
  #   age_identity: { file: ${example('age-identity')} }

backup:
  # minute hour day month weekday, in this host's time zone: every 6 hours. Or off.
  schedule: "0 */6 * * *"
  retention:
    days: 7          # keep everything younger than this
    keep_min: 3      # and at least this many, however old
    # daily: 14      # besides: the newest of each of the last 14 days,
    # weekly: 8      # … 8 weeks
    # monthly: 12    # … 12 months

verify:
  # When every stored backup is read back: Sundays at 03:30. Each new one is proven at once.
  schedule: "30 3 * * 0"

drill:
  # When a restore of the newest backup is rehearsed and timed: every quarter.
  schedule: "0 4 1 */3 *"

${alerts === undefined ? '' : `# Who hears of trouble: redis-agent alerts test. More channels, routes and hours: config example alerts.\n${alerts}\n`}# History and findings. Losing it loses no backup.
state: { path: ${yamlText(state)} }

# For schedules and times shown; left out: this host's own.
# timezone: Europe/Berlin
`;
}

function renderInstance({
  name,
  url,
  username,
  passwordFile,
  tls,
  service,
  role,
}: FirstConfig['instances'][number]): string {
  const files = Object.entries(tls ?? {}).flatMap(([key, path]) =>
    path === undefined ? [] : [`      ${key}: ${yamlText(path)}\n`],
  );
  return `    # A folder of this name in the repository holds the backups: do not change it later.
  - name: ${yamlText(name)}
    url: ${yamlText(url)}
    username: ${yamlText(username)}
    password: { file: ${yamlText(passwordFile)} }
${files.length === 0 ? '' : `    tls:\n${files.join('')}`}${service === undefined ? '' : `    service: ${yamlText(service)}\n`}${role === undefined ? '    # role: durable        # what it is used for: cache, queue, session or durable' : `    role: ${role.role}        # ${role.why}`}
`;
}

const meaningful = /^(?:null|true|false|yes|no|on|off)$/i;

/** A YAML scalar, quoted where it would be read as something else. JSON's quoting is YAML's, too. */
export function yamlText(value: string): string {
  const plain = /^[A-Za-z/][A-Za-z0-9_./@:-]*$/.test(value) && !value.endsWith(':');
  return plain && !meaningful.test(value) ? value : JSON.stringify(value);
}
