import { createHash } from 'node:crypto';
import type { ReportDocument, Section, Verdict } from '../document.ts';
import { renderBlocks } from './blocks.ts';
import { markup, Markup } from './markup.ts';
import { styleSheet } from './style.ts';

/** The style sheet by its hash, and nothing else: no script, no picture, no connection, no form. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(styleSheet).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The report as one file that asks nothing of the network. */
export function renderPage(report: ReportDocument, timezone: string): string {
  const { title, subtitle, verdict, sections, notes } = report;
  const body = sections.map(
    ({ id, title: name, blocks }) =>
      markup`<section aria-labelledby="${id}">
        <h2 id="${id}">${name}</h2>
        ${renderBlocks(blocks, timezone)}
      </section> `,
  );
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="referrer" content="no-referrer" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <style>${style}</style>
      </head>
      <body>
        <a class="skip" href="#report">Skip to the report</a>
        <main>
          <h1>${title}</h1>
          <p class="soft">${subtitle}</p>
          ${renderVerdict(verdict)}
          <nav aria-label="Sections">${renderLinks(sections)}</nav>
          <div id="report">${body}</div>
          <footer>${notes.map((note) => markup`<p>${note}</p>`)}</footer>
        </main>
      </body>
    </html> `.text;
}

/** A line for each instance, where there are several. */
function renderLinks(sections: readonly Section[]): Markup[] {
  const names = [...new Set(sections.map(({ of }) => of))];
  return names.map((name) => {
    const links = sections
      .filter(({ of }) => of === name)
      .map(
        ({ id, title }) =>
          markup`<a href="#${id}">${title.slice(name === undefined ? 0 : name.length + 2)}</a>`,
      );
    return name === undefined ? markup`<p>${links}</p>` : markup`<p><b>${name}</b> ${links}</p>`;
  });
}

const style = new Markup(styleSheet);
// Its quotes are wanted as they are; it holds no double ones.
const policy = new Markup(contentSecurityPolicy);

function renderVerdict({ tone, headline, points, next }: Verdict): Markup {
  const list = points.map(
    ({ tone: each, text, advice }) =>
      markup`<li>
        <span class="tone-${each}">${text}</span>${advice === null ? markup`` : markup`<span class="advice">${advice}</span>`}
      </li>`,
  );
  return markup`<section class="verdict tone-${tone}" aria-label="Verdict">
    <strong>${headline}</strong>${
      list.length === 0
        ? markup``
        : markup`<ul>
            ${list}
          </ul>`
    }${
      next.length < 2 ||
      next.every((step) => points.some(({ advice }) => advice !== null && step.endsWith(advice)))
        ? markup``
        : markup`<p><b>Next:</b></p>
            <ol>
              ${next.map((step) => markup`<li>${step}</li>`)}
            </ol>`
    }
  </section>`;
}
