import { defineCommand } from '../../define-command.ts';

export const configCheckCommand = defineCommand<
  object,
  { path: string; instances: string[]; repository: string }
>({
  usage: 'config check',
  summary: 'Is the configuration valid? (check proves that it works)',
  async run(context) {
    const { configPath, settings } = await context.app();
    return {
      path: configPath,
      instances: settings.instances.map(({ name }) => name),
      repository: settings.repository.type,
    };
  },
  render: ({ path, instances, repository }, { style }) =>
    `${style.good('valid')}: ${path} (${instances.join(', ')} into a ${repository} repository)`,
});
