import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { findBrowser } from '../../lib/find-browser.ts';
import { runProgram } from '../../lib/run-program.ts';
import { giveToUnprivileged } from '../../lib/unprivileged.ts';

/** Longer than any page takes, milliseconds. */
const patience = 120_000;

/**
 * The page as a browser of this host prints it, on A4. Throws an AgentError `failed` where there is none. `path` is the
 * PATH that it is looked for in.
 */
export async function printPdf(
  html: string,
  { path, signal }: { path: string | undefined; signal: AbortSignal },
): Promise<Uint8Array> {
  const browser = findBrowser(path);
  if (browser === undefined)
    throw new AgentError('failed', 'a PDF takes a browser, and none is installed here', {
      hint: 'install chromium, or make the page (--format html) and print it elsewhere',
    });
  const folder = await mkdtemp(join(tmpdir(), 'redis-agent-page-'));
  const [page, pdf] = [join(folder, 'page.html'), join(folder, 'page.pdf')];
  try {
    await writeFile(page, html, { mode: 0o600 });
    giveToUnprivileged(folder);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    const { exitCode, output } = await runProgram(browser, argumentsFor(folder, page, pdf), {
      signal: limit,
      cwd: folder,
    });
    const printed = await readFile(pdf).catch(() => undefined);
    if (printed === undefined || printed.length === 0)
      throw new Error(`it ended with ${exitCode ?? 'a signal'}: ${output.trim().slice(-300)}`);
    return printed;
  } catch (cause) {
    signal.throwIfAborted();
    throw new AgentError('failed', `${browser} cannot print the page: ${messageOf(cause)}`, {
      cause,
      hint: 'make the page (--format html) and print it by hand',
    });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Its own sandbox cannot be had everywhere; the page runs no script, and the browser has nobody's rights under root. */
function argumentsFor(folder: string, page: string, pdf: string): string[] {
  return [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-extensions',
    '--disable-background-networking',
    '--no-first-run',
    `--user-data-dir=${join(folder, 'profile')}`,
    '--no-pdf-header-footer',
    `--print-to-pdf=${pdf}`,
    pathToFileURL(page).href,
  ];
}
