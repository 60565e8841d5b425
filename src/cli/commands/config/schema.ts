import { defineCommand } from '../../define-command.ts';
import { renderJson } from '../../render/json.ts';

export const configSchemaCommand = defineCommand<object, unknown>({
  usage: 'config schema',
  summary: 'The configuration as JSON Schema, for editors that complete and check YAML',
  examples: [['$0 config schema > redis-agent.schema.json', '']],
  async run() {
    const { settingsJsonSchema } = await import('../../../config/json-schema.ts');
    return settingsJsonSchema();
  },
  render: (schema) => renderJson(schema, 2),
});
