import { defineCommand } from '../../define-command.ts';

export const configExampleCommand = defineCommand<{ section?: string }, { yaml: string }>({
  usage: 'config example [section]',
  summary: 'Everything that the configuration may say, with comments; or one section of it',
  options: (yargs) => yargs.positional('section', { type: 'string', describe: 'backup, alerts …' }),
  examples: [['$0 config example backup', '']],
  async run(_context, { section }) {
    const { exampleConfig } = await import('../../../config/example.ts');
    return { yaml: exampleConfig(section).trimEnd() };
  },
  render: ({ yaml }) => yaml,
});
