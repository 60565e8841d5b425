import { wrap } from './wrap.ts';

/** A section of one of our own Markdown pages for a terminal: paragraphs and list items broken anew, commands as they are. */
export function renderAdvice(markdown: string, width: number): string {
  return markdown
    .split(/\n{2,}/)
    .map((block) => (block.startsWith('    ') ? block : renderBlock(block, width)))
    .join('\n\n');
}

function renderBlock(block: string, width: number): string {
  const plain = block.replaceAll('**', '').replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1');
  return plain
    .split(/\n(?=- |\d+\. )/)
    .map((item) => {
      const indent = /^(?:- |\d+\. )/.exec(item)?.[0].length ?? 0;
      return wrap(item.replaceAll(/\s*\n\s*/g, ' '), width - indent).replaceAll(
        '\n',
        `\n${' '.repeat(indent)}`,
      );
    })
    .join('\n');
}
