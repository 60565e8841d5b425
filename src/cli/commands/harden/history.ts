import { readChanges, type ChangeRecord } from '../../../state/changes.ts';
import { defineCommand } from '../../define-command.ts';
import { renderTable } from '../../render/table.ts';
import { formatAge } from '../../render/time.ts';

export const hardenHistoryCommand = defineCommand<object, { instance: string; changes: ChangeRecord[] }[]>({
  usage: 'harden history',
  summary: 'What was changed at servers, when, and by whom',
  unit: () => 'apply',
  examples: [['$0 harden history --json', 'with every value before and after']],
  async run(context) {
    const app = await context.app();
    return app
      .instances(context.globals.instance)
      .map(({ name }) => ({ instance: name, changes: readChanges(app.state(), name) }));
  },
  render: (all, { style, now }) =>
    all
      .map(({ instance, changes }) => {
        const head = style.strong(instance);
        if (changes.length === 0) return `${head}: nothing was changed by the agent`;
        const rows = changes.map(({ at, kind, outcome, by, token, summary }) => [
          formatAge(at, now),
          kind,
          outcome,
          by,
          token,
          summary,
        ]);
        const titles = ['WHEN', 'WHAT', 'OUTCOME', 'BY', 'ID', 'SUMMARY'].map((title) => ({ title }));
        return `${head}\n${renderTable(titles, rows)}`;
      })
      .join('\n\n'),
  document: (all) =>
    all.map(({ instance, changes }) => ({
      instance,
      changes: changes.map((change) => ({ ...change, at: new Date(change.at).toISOString() })),
    })),
});
