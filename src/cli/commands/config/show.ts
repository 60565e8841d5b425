import { defineCommand } from '../../define-command.ts';

export const configShowCommand = defineCommand<object, { shown: unknown; yaml: string }>({
  usage: 'config show',
  summary: 'The configuration with every default, secrets as where they are kept',
  async run(context) {
    const { settings } = await context.app();
    const { showSettings, showSettingsYaml } = await import('../../../config/show.ts');
    return { shown: showSettings(settings), yaml: showSettingsYaml(settings).trimEnd() };
  },
  render: ({ yaml }) => yaml,
  document: ({ shown }) => shown,
});
