import { AgentError } from '../domain/errors.ts';
import type { InstanceSettings, Settings } from '../domain/settings.ts';
import { instanceOfNode } from './cluster-nodes.ts';

/** By name; the only one when there is one and none is named. Throws an AgentError `usage`. */
export function chooseInstance(settings: Settings, name: string | undefined): InstanceSettings {
  const names = settings.instances.map((instance) => instance.name).join(', ');
  const [first, ...others] = settings.instances;
  if (name === undefined && first !== undefined && others.length === 0) return first;
  const chosen =
    settings.instances.find((instance) => instance.name === name) ??
    (name === undefined ? undefined : instanceOfNode(settings, name));
  if (chosen !== undefined) return chosen;
  throw new AgentError(
    'usage',
    name === undefined ? 'several instances are configured' : `there is no instance ${JSON.stringify(name)}`,
    { hint: `choose with --instance: ${names}` },
  );
}
