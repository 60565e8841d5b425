import { check, given, notHere, type Check } from '../check.ts';

const docs = 'docs/backup.md';

const sameDisk: Check = check(
  'BAK01',
  {
    severity: 'high',
    title: 'backups lie on the disk of the data',
    why: 'A disk that fails takes both.',
    source: docs,
  },
  (facts) =>
    given(facts.agent.repository, ({ type, device, path }) => {
      if (type !== 'filesystem') return notHere('the repository is not on this host');
      return given(facts.host, ({ dataDir }) =>
        given(dataDir, (data) => {
          if (device === undefined) return { missing: `${path ?? 'the repository'} is not there yet` };
          return device === data.device
            ? [
                {
                  resource: path ?? 'repository',
                  summary: `the repository ${path ?? ''} lies on the same file system as ${data.path}`,
                  remedy: 'put it on another disk, a mounted share or S3 (repository: of the configuration)',
                  effect: 'host',
                  proof: 'stat of both',
                },
              ]
            : [];
        }),
      );
    }),
);

const plain: Check = check(
  'BAK02',
  {
    severity: 'warning',
    title: 'backups are not encrypted',
    why: 'Whoever reads the repository has all data.',
    source: docs,
  },
  (facts) =>
    given(facts.agent.repository, ({ encrypted, type }) =>
      encrypted
        ? []
        : [
            {
              resource: 'repository',
              severity: type === 'filesystem' ? 'info' : 'warning',
              summary: 'repository.encryption.age_recipients is empty: backups are stored in the clear',
              remedy: 'age-keygen -o KEY; keep KEY elsewhere, and its public key in age_recipients',
              effect: 'host',
              proof: 'the agent’s own configuration',
            },
          ],
    ),
);

export const bakChecks: readonly Check[] = [sameDisk, plain];
