import type { StoreTraits } from '../../backup/store/store.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import type { App } from '../build-app.ts';

/** What trying something came to, where it did not fail. */
export type Outcome = string | { warning: string; next: string };

/** What the store does otherwise than S3, found out by trying; in one line. */
export async function examineStore(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
): Promise<Outcome> {
  const { store } = await app.repository(instance);
  if (store.examine === undefined) return 'lacks nothing';
  const traits = await store.examine(instance.name, { signal });
  const encrypts = app.settings.repository.encryption.age_recipients.length > 0;
  return describeTraits(traits, encrypts);
}

function describeTraits({ lacks, versioned, openLine }: StoreTraits, encrypts: boolean): Outcome {
  const said = lacks.map(({ what, instead, loses }) => `${what} (${loses ?? instead})`);
  const lacking = said.length === 0 ? 'lacks nothing' : `lacks ${said.join(', ')}`;
  const next: string[] = [];
  const warnings: string[] = [];
  if (lacks.some(({ loses }) => loses !== undefined))
    next.push('add a lifecycle rule that ends unfinished uploads after a few days');
  if (versioned === true) {
    warnings.push('keeps what is removed as old versions, which take room');
    next.push('let a lifecycle rule expire old versions, or run: redis-agent backups prune --old-versions');
  }
  if (openLine) {
    warnings.push(
      encrypts
        ? 'is reached over plain http: who is on the way can change what is read'
        : 'is reached over plain http: who is on the way can read every backup',
    );
    next.push('write https:// in repository.endpoint');
  }
  if (next.length === 0) return lacking;
  return { warning: [lacking, ...warnings].join('; '), next: next.join('; ') };
}
