import { expect, test } from 'vitest';
import { explainCommand } from '../../../src/cli/commands/explain.ts';
import type { CommandContext } from '../../../src/cli/define-command.ts';
import { renderAdvice } from '../../../src/cli/render/advice.ts';
import { createStyle } from '../../../src/cli/render/style.ts';

const shown = { style: createStyle(false), width: 80, now: 0 };
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it asks nothing of its context
const nothing = {} as CommandContext;
const explain = (rule?: string): Promise<string> =>
  explainCommand
    .run(nothing, rule === undefined ? {} : { rule })
    .then((value) => explainCommand.render(value, shown));

test('says what a rule means and what to type, at the width of the terminal', async () => {
  const text = await explain('BACKUP-stale');
  expect(text).toContain('backup-stale  critical\n\nThe newest backup is too old, or there is none. ');
  expect(text).toContain('\n    redis-agent check\n    redis-agent backup\n');
  expect(text).toMatch(/\n\nfrom docs\/findings\/backup\.md$/);
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('says what a page begins with once', async () => {
  const text = await explain('acl01');
  expect(text.split('The default user needs no password.')).toHaveLength(2);
});

test('lists all rules, a line each', async () => {
  const lines = (await explain()).split('\n');
  expect(lines[0]).toMatch(/^RULE +SEVERITY +WHAT IS WRONG$/);
  expect(lines).toContainEqual(expect.stringMatching(/^backup-unproven +high +a stored backup could not be/));
});

test('knows which rule was meant, and repeats no control characters', async () => {
  await expect(explain('backup-stael')).rejects.toMatchObject({
    code: 'usage',
    hint: 'did you mean backup-stale?',
  });
  await expect(explain('\u001b]0;x\u0007')).rejects.toMatchObject({
    message: 'there is no rule "\\u001b]0;x\\u0007"',
    hint: 'see all of them: redis-agent explain',
  });
});

test('knows a rule by what it was called', async () => {
  const text = await explain('certificate-expiry');
  expect(text.split('\n\n', 2)).toEqual([
    'certificate-expiry is called TLS04 now; what else it was is TLS06. By its old\nname routes and silences still find it.',
    'TLS04  critical',
  ]);
  expect(await explain('AOF-replay')).toMatch(/^aof-replay is called PER07 now\. /);
});

test('breaks paragraphs and items anew, and leaves commands as they are', () => {
  const markdown =
    'One **bold**\nword, see [there](x.md).\n\n    redis-cli   PING\n\n- an item that\n  goes on\n- another';
  expect(renderAdvice(markdown, 16)).toBe(
    'One bold word,\nsee there.\n\n    redis-cli   PING\n\n- an item that\n  goes on\n- another',
  );
});
