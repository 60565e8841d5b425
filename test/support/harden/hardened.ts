import { onTestFinished } from 'vitest';
import type { App } from '../../../src/app/build-app.ts';
import type { HardenPlan } from '../../../src/harden/changes.ts';
import type { Admin } from '../../../src/jobs/harden/inspect-server.ts';
import type { Guards } from '../../../src/harden/plan/guards.ts';
import { applyHardenJob } from '../../../src/jobs/harden/apply-job.ts';
import type { ApplyReport } from '../../../src/jobs/harden/apply-harden.ts';
import { planHardenJob } from '../../../src/jobs/harden/harden-job.ts';
import { rollbackHardenJob } from '../../../src/jobs/harden/rollback-job.ts';
import type { RollbackReport } from '../../../src/jobs/harden/rollback-harden.ts';
import { writeConfig, type TestConfig } from '../agent/cli.ts';
import { openApp } from '../agent/open-app.ts';
import type { ManagedServer } from '../servers/managed-server.ts';

export interface Hardener {
  config: TestConfig;
  app: App;
  plan(policy?: string, admin?: Admin): Promise<HardenPlan>;
  apply(options?: ApplyHere): Promise<ApplyReport>;
  rollback(options?: RollbackHere): Promise<RollbackReport>;
}

export interface ApplyHere {
  policy?: string;
  restart?: boolean;
  allow?: string[];
  /** {}: without what holds changes back. */
  stops?: Guards;
  agreed?: HardenPlan;
  admin?: Admin;
  onStep?: (step: string) => void | Promise<void>;
}

export interface RollbackHere {
  admin?: Admin;
  id?: string;
  restart?: boolean;
  onStep?: (step: string) => void | Promise<void>;
}

/** The agent in this process, beside one server. */
export async function hardenerOf(
  server: Pick<ManagedServer, 'instance'>,
  more: Record<string, unknown> = {},
  settings: Record<string, unknown> = {},
): Promise<Hardener> {
  const config = writeConfig({ instances: [{ ...server.instance, role: 'queue', ...more }], settings });
  const app = await openApp(config);
  onTestFinished(() => app.close());
  const run = { signal: new AbortController().signal, progress: { report() {} } };
  const instance = app.instance(undefined);
  return {
    config,
    app,
    plan: (policy, admin) => app.run(planHardenJob, instance, { policy, admin }, run),
    apply: ({ policy, restart = false, allow = [], stops, agreed, admin, onStep } = {}) =>
      app.run(
        applyHardenJob,
        instance,
        {
          policy,
          admin,
          agreed,
          restart,
          allow,
          ...(stops === undefined ? {} : { stops }),
          ...(onStep === undefined ? {} : { onStep }),
        },
        run,
      ),
    rollback: ({ id, restart = false, admin, onStep } = {}) =>
      app.run(
        rollbackHardenJob,
        instance,
        { id, admin, restart, dryRun: false, ...(onStep === undefined ? {} : { onStep }) },
        run,
      ),
  };
}
