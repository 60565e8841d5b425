import { readAdvice } from '../../app/rule-advice.ts';
import { rules } from '../../app/rules.ts';
import { AgentError } from '../../domain/errors.ts';
import { nowCalled } from '../../domain/former-names.ts';
import type { Rule } from '../../domain/rule.ts';
import { closest } from '../../lib/text/closest.ts';
import { printable } from '../../lib/text/printable.ts';
import { defineCommand } from '../define-command.ts';
import { renderAdvice } from '../render/advice.ts';
import { paintSeverity } from '../render/severity.ts';
import { renderTable } from '../render/table.ts';
import { wrap } from '../render/wrap.ts';

type Shown = Pick<Rule, 'id' | 'severity' | 'title' | 'why' | 'page'>;

/** One rule with what its page says, as Markdown (null where the pages are not installed); or all of them. */
type Explained = (Shown & { advice: string | null; called: Called | null }) | Shown[];

/** That it was asked for by a name which it has no more, and what else was called so. */
interface Called {
  before: string;
  also: string[];
}

export const explainCommand = defineCommand<{ rule?: string }, Explained>({
  usage: 'explain [rule]',
  summary: 'What a finding means and what to do; without a rule: all rules',
  options: (yargs) =>
    yargs.positional('rule', { type: 'string', describe: 'A rule as `status` and `alerts` name it' }),
  examples: [['$0 explain backup-stale', '']],
  // oxlint-disable-next-line typescript/require-await -- commands are asynchronous, and an error is a rejection
  async run(_context, { rule }) {
    if (rule === undefined) return rules.map(shown);
    const [now, ...also] = nowCalled(rule);
    const found = findRule(now ?? rule);
    const called = now === undefined ? null : { before: rule.toLowerCase(), also };
    return { ...shown(found), advice: readAdvice(found), called };
  },
  render(value, { style, width }) {
    if (Array.isArray(value))
      return renderTable(
        [{ title: 'RULE' }, { title: 'SEVERITY' }, { title: 'WHAT IS WRONG' }],
        value.map(({ id, severity, title }) => [
          id,
          { text: severity, paint: paintSeverity(style, severity) },
          title,
        ]),
      );
    const { id, severity, title, why, page, advice, called } = value;
    const columns = Math.min(width, 100);
    const what = `${title[0]?.toUpperCase()}${title.slice(1)}. ${why}`;
    return [
      ...(called === null ? [] : [wrap(renamed(id, called), columns)]),
      `${style.strong(id)}  ${paintSeverity(style, severity)(severity)}`,
      // Pages of the audit begin with it.
      ...(advice !== null && oneLine(advice).startsWith(what) ? [] : [wrap(what, columns)]),
      ...(advice === null ? [] : [renderAdvice(advice, columns)]),
      style.faint(`from ${page}`),
    ].join('\n\n');
  },
});

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

function renamed(id: string, { before, also }: Called): string {
  return `${before} is called ${id} now${also.length === 0 ? '' : `; what else it was is ${also.join(' and ')}`}. By its old name routes and silences still find it.`;
}

function shown({ id, severity, title, why, page }: Rule): Shown {
  return { id, severity, title, why, page };
}

function findRule(asked: string): Rule {
  const found = rules.find(({ id }) => id.toLowerCase() === asked.toLowerCase());
  if (found !== undefined) return found;
  const near = closest(
    asked,
    rules.map(({ id }) => id),
  );
  throw new AgentError('usage', `there is no rule ${printable(JSON.stringify(asked.slice(0, 80)))}`, {
    reason: 'missing',
    hint: near === undefined ? 'see all of them: redis-agent explain' : `did you mean ${near}?`,
  });
}
