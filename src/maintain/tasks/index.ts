import type { Task } from '../../domain/task.ts';
import type { MaintenanceSettings } from '../../domain/settings/maintenance.ts';
import { goLiveTasks } from './go-live.ts';
import { monthlyTasks } from './monthly.ts';
import { quarterlyTasks } from './quarterly.ts';
import { weeklyTasks } from './weekly.ts';

/** Every task of an instance: the documented rotations, the go-live list and those of the configuration. */
export function allTasks({
  password_rotation,
  tasks,
}: Pick<MaintenanceSettings, 'password_rotation' | 'tasks'>): readonly Task[] {
  return [
    ...weeklyTasks,
    ...monthlyTasks,
    ...quarterlyTasks(password_rotation),
    ...goLiveTasks,
    ...tasks.map(({ name, schedule, steps }): Task => ({
      id: name,
      title: name.replaceAll('-', ' '),
      rotation: 'own',
      due: { kind: 'schedule', cron: schedule },
      by: 'person',
      why: 'From the configuration.',
      steps,
    })),
  ];
}

/** Ids that a task of the configuration may not have. */
export function reservedTaskIds(passwordRotation: number): ReadonlySet<string> {
  return new Set(allTasks({ password_rotation: passwordRotation, tasks: [] }).map(({ id }) => id));
}
