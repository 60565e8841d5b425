import { hasEverything } from '../../../formats/acl/user.ts';
import { atLeastVersion, type EngineVersion } from '../../../formats/conf/engine.ts';
import { isYes, setting, usersOfNextStart } from '../../facts.ts';
import { check, given, notHere, type Check } from '../check.ts';

/** Lossy at replay where the default user may not do everything; 6.x, 8.6.3 and Valkey 9.1.2 are safe. */
function replayDrops({ engine, version }: EngineVersion): boolean {
  if (engine === 'valkey') return !atLeastVersion(version, '9.1.2');
  return atLeastVersion(version, '7.0') && !atLeastVersion(version, '8.6.3');
}

const lossyReplay: Check = check(
  'ACL05',
  {
    severity: 'critical',
    title: 'the AOF replays as a default user that may not do everything',
    why: 'The server loads its AOF as the user default. What that user may not do is dropped: every MULTI/EXEC and every script that writes twice or more is gone after a restart.',
    source: 'https://github.com/redis/redis/issues/14545',
  },
  (facts) => {
    if (!replayDrops(facts.engine)) return notHere('this version replays everything, whatever the user may');
    return given(setting(facts, 'appendonly'), (appendonly) => {
      if (!isYes(appendonly.value)) return notHere('appendonly is off');
      // The file decides what the next start is; at run time `off` alone keeps every right.
      const users = usersOfNextStart(facts);
      return given(users, (all) => {
        const user = all.find((each) => each.user.name === 'default');
        if (user === undefined || hasEverything(user.user)) return [];
        return [
          {
            resource: 'default',
            summary:
              'the user default lacks ~* &* +@all and appendonly is yes: at the next start every transaction and every script of several writes is dropped from the AOF',
            remedy:
              'make its line: user default off resetpass ~* &* +@all (nobody can log in as it, and every key replays); no BGREWRITEAOF before that',
            effect: facts.mode === 'files' ? 'file' : 'run time',
            proof: facts.files.value === undefined ? 'ACL LIST' : 'the rules of the file, evaluated',
            evidence: { appendonly: true, engine: `${facts.engine.engine} ${facts.engine.version}` },
            place: user.place,
          },
        ];
      });
    });
  },
);

export const aclReplayChecks: readonly Check[] = [lossyReplay];
