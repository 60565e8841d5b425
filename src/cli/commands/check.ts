import { checkPath, type CheckLine } from '../../app/check/check-path.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { renderTable } from '../render/table.ts';

export const checkCommand = defineCommand<object, CheckLine[]>({
  usage: 'check',
  summary: 'Prove the whole path now: server, rights, disk, repository',
  async run(context) {
    const app = await context.app();
    const instances = app.instances(context.globals.instance);
    const lines: CheckLine[] = [];
    for (const instance of instances) {
      context.progress.report({ phase: `checking ${instance.name}` });
      lines.push(...(await checkPath(app, instance, context.signal)));
    }
    return lines;
  },
  render(lines, { style }) {
    const paint = { ok: style.good, warning: style.warning, failed: style.bad };
    return renderTable(
      [{ title: '' }, { title: '' }, { title: '' }, { title: '' }],
      lines.map(({ instance, what, verdict, detail, next }) => [
        instance,
        what,
        { text: verdict, paint: paint[verdict] },
        next === null ? detail : `${detail}; ${next}`,
      ]),
    );
  },
  exitCode: (lines) =>
    lines.some(({ verdict }) => verdict === 'failed') ? exitCodes.findings : exitCodes.ok,
});
