import type { EngineVersion } from '../../formats/conf/engine.ts';
import { applyRules } from '../../formats/acl/apply-rules.ts';
import { judgeUser } from '../../formats/acl/profiles/judge-user.ts';
import type { PurposeRights } from './agent-rights.ts';

/** What a line of ACL LIST does not give, group by group; groups that lack nothing are left out. */
export function missingOf(
  line: string,
  wanted: readonly PurposeRights[],
  engine: EngineVersion,
): PurposeRights[] {
  const [, name = '', ...rules] = line.split(' ');
  const { user } = applyRules(name, rules, {
    engine,
    hash: (password) => password,
    lenient: true,
    channelsByDefault: 'resetchannels',
  });
  return wanted
    .map(({ purpose, rights }) => {
      const { missing } = judgeUser(
        user,
        {
          name: purpose,
          title: purpose,
          proven: null,
          commands: rights.filter((right) => right.startsWith('+')).map((right) => right.slice(1)),
          optional: [],
          keys: rights
            .filter((right) => !right.startsWith('+'))
            .map((right) => right.replace(/^(?:%R)?~/, '')),
          readOnly: true,
          channels: [],
          notes: [],
        },
        { engine },
      );
      return { purpose, rights: [...missing.keys, ...missing.commands.map((command) => `+${command}`)] };
    })
    .filter(({ rights }) => rights.length > 0);
}
