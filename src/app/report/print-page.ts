import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { findBrowser } from '../../lib/process/find-browser.ts';
import { runProgram } from '../../lib/process/run-program.ts';
import { giveToUnprivileged } from '../../lib/process/unprivileged.ts';

/** Longer than any page takes, milliseconds. */
const patience = 120_000;

interface Browser {
  /** The PATH that it is looked for in, besides the usual places. */
  path: string | undefined;
  signal: AbortSignal;
}

/** The page as a browser of this host prints it, on A4. Throws an AgentError `failed` where there is none. */
export async function printPdf(html: string, browser: Browser): Promise<Uint8Array> {
  return await draw(html, 'pdf', browser);
}

/** The top of the page as a PNG; undefined where no browser is installed. Throws an AgentError `failed`. */
export async function takePicture(html: string, browser: Browser): Promise<Uint8Array | undefined> {
  return findBrowser(browser.path) === undefined ? undefined : await draw(html, 'png', browser);
}

async function draw(html: string, kind: 'pdf' | 'png', { path, signal }: Browser): Promise<Uint8Array> {
  const browser = findBrowser(path);
  if (browser === undefined)
    throw new AgentError('failed', 'a PDF takes a browser, and none is installed here', {
      hint: 'install chromium, or make the page (--format html) and print it elsewhere',
    });
  const folder = await mkdtemp(join(tmpdir(), 'redis-agent-page-'));
  const [page, drawn] = [join(folder, 'page.html'), join(folder, `page.${kind}`)];
  try {
    await writeFile(page, html, { mode: 0o600 });
    giveToUnprivileged(folder);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    const { exitCode, output } = await runProgram(browser, argumentsFor(folder, page, drawn), {
      signal: limit,
      cwd: folder,
    });
    const content = await readFile(drawn).catch(() => undefined);
    if (content === undefined || content.length === 0)
      throw new Error(`it ended with ${exitCode ?? 'a signal'}: ${output.trim().slice(-300)}`);
    return content;
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
function argumentsFor(folder: string, page: string, drawn: string): string[] {
  return [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-extensions',
    '--disable-background-networking',
    '--no-first-run',
    `--user-data-dir=${join(folder, 'profile')}`,
    ...(drawn.endsWith('.pdf')
      ? ['--no-pdf-header-footer', `--print-to-pdf=${drawn}`]
      : ['--hide-scrollbars', '--window-size=1280,1060', `--screenshot=${drawn}`]),
    pathToFileURL(page).href,
  ];
}
