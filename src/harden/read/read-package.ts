import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { runCommand } from '../../lib/process/run-command.ts';
import { seen, type PackageFacts, type Seen } from '../facts.ts';

const names = ['redis-server', 'valkey-server', 'redis', 'valkey', 'redis-tools', 'valkey-tools'];
const largest = 16 * 1024 * 1024;

/** The package that the running program comes from, with the flaws that its own changelog says it mends. */
export async function readPackage(
  executable: string | undefined,
  version: string,
  signal: AbortSignal,
): Promise<Seen<PackageFacts>> {
  if (executable === undefined) return { missing: 'which program runs (another user’s process)' };
  if (!/^\/usr\/(?:s?bin|libexec)\//.test(executable)) return { absent: 'it was not installed by a package' };
  if (existsSync('/var/lib/dpkg/status')) return fromDpkg(version);
  if (existsSync('/usr/bin/rpm')) return fromRpm(executable, version, signal);
  return { absent: 'this host has neither dpkg nor rpm' };
}

function fromDpkg(version: string): Seen<PackageFacts> {
  const status = readFileSync('/var/lib/dpkg/status', 'utf8');
  for (const name of names) {
    const start = status.startsWith(`Package: ${name}\n`) ? 0 : status.indexOf(`\nPackage: ${name}\n`);
    if (start === -1) continue;
    const entry = status.slice(start, status.indexOf('\n\n', start + 1));
    const own = /^Version: (.*)$/m.exec(entry)?.[1] ?? '';
    if (!/^Status: install ok installed$/m.test(entry) || !own.replace(/^\d+:/, '').startsWith(version))
      continue;
    return seen({ name, version: own, distribution: distribution(), fixed: changelogOf(name) });
  }
  return { absent: `no installed package has version ${version}` };
}

function changelogOf(name: string): Seen<ReadonlySet<string>> {
  const path = `/usr/share/doc/${name}/changelog.Debian.gz`;
  try {
    const text = gunzipSync(readFileSync(realpathSync(path)), { maxOutputLength: largest }).toString('utf8');
    return seen(idsIn(text));
  } catch {
    return { missing: `${path}, which says what is mended (some images leave it out)` };
  }
}

async function fromRpm(
  executable: string,
  version: string,
  signal: AbortSignal,
): Promise<Seen<PackageFacts>> {
  const { stdout, exitCode } = await runCommand(
    ['rpm', '-q', '--queryformat', '%{NAME} %{VERSION}-%{RELEASE}\n', '-f', executable],
    signal,
  );
  const [name = '', own = ''] = stdout.trim().split(' ');
  if (exitCode !== 0 || !own.startsWith(version))
    return { absent: `no installed package has ${basename(executable)}` };
  const changelog = await runCommand(['rpm', '-q', '--changelog', name], signal);
  const ids = idsIn(changelog.stdout);
  return seen({ name, version: own, distribution: distribution(), fixed: seen(ids) });
}

/** Ids of flaws, wherever they stand. */
function idsIn(text: string): ReadonlySet<string> {
  return new Set(text.match(/CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3}/g) ?? []);
}

function distribution(): string {
  try {
    return (
      /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'this distribution'
    );
  } catch {
    return 'this distribution';
  }
}
