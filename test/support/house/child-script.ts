import { chmodSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import type * as Esbuild from 'esbuild';
import { bundling } from '../../../scripts/lib/bundling.ts';
import { onceARun } from './once-a-run.ts';

const support = join(import.meta.dirname, '..');

/** Programs that tests start, below test/support. */
const scripts = [
  'agent/hands-child',
  'agent/hold-lock',
  'alerts/tell-child',
  'restore/restore-child',
  'restore/swap-links-child',
  'restore/take-port-child',
  'restore/restore-keys-child',
  'restore/restore-live-child',
  'servers/hold-scratch',
  'stores/store-child',
  'harden/harden-child',
  'rotation/rotate-child',
] as const;

/** Those that are started most, and need little: a file each, as the agent's own is, since each file costs a start. */
const inOneFile = ['agent/hands-child', 'agent/hold-lock'] as const;

/** What Node is given with them, as scripts/node has it. */
export const childFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'] as const;

/**
 * What Node is to run for one of them: bundled once a run, since it starts in a fifth of the time that the sources take.
 * None imports another, so that each stays in its own file and sees that it is what was started.
 */
export function childScript(name: (typeof scripts)[number]): string {
  const folder = onceARun('children', (own) => {
    // Children have this file in their bundles, and no use for esbuild.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is
    const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof Esbuild;
    const build = (names: readonly string[], splitting: boolean): void =>
      void buildSync({
        ...bundling,
        splitting,
        absWorkingDir: support,
        entryPoints: Object.fromEntries(names.map((script) => [basename(script), `${script}.ts`])),
        outdir: own,
      });
    build(
      scripts.filter((script) => !inOneFile.some((one) => one === script)),
      true,
    );
    build(inOneFile, false);
    // Tests start them as nobody, too.
    chmodSync(own, 0o755);
  });
  return folder === undefined ? join(support, `${name}.ts`) : join(folder, `${basename(name)}.mjs`);
}
