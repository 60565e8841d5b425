import { printable } from '../../../lib/text/printable.ts';
import { defineCommand } from '../../define-command.ts';

export const backupsAcceptCommand = defineCommand<{ id: string }, { id: string }>({
  usage: 'backups accept <id>',
  summary: 'Say that a suspiciously small backup is right: later ones are compared with it',
  options: (yargs) => yargs.positional('id', { type: 'string', describe: 'A backup id, or latest' }),
  async run(context, { id }) {
    const app = await context.app();
    const repository = await app.repository(app.instance(context.globals.instance));
    const manifest = await repository.find(id, context.signal);
    await repository.accept(manifest.id, context.clock.now(), context.signal);
    return { id: manifest.id };
  },
  render: ({ id }) => `${printable(id)} is the new baseline`,
});
