import type { UserLine } from '../../formats/acl/acl-file.ts';
import { applyRules } from '../../formats/acl/apply-rules.ts';
import type { EngineVersion } from '../../formats/conf/engine.ts';
import type { UserFacts } from '../facts.ts';
import { sha256 } from './hash.ts';

/** Rules without what is secret in them. */
function maskRules(rules: readonly string[]): string[] {
  return rules.map((rule) => (/^[>#<!]/.test(rule) ? `${rule[0] ?? ''}…` : rule));
}

/** ACL LIST: `user app on #hash ~* &* +@all` a line. Commands of modules count as they stand. */
export function usersOfList(lines: readonly string[], engine: EngineVersion): UserFacts[] {
  return lines.flatMap((line) => {
    const [keyword, name, ...rules] = line.split(' ');
    if (keyword !== 'user' || name === undefined) return [];
    const { user } = applyRules(name, rules, {
      engine,
      hash: sha256,
      lenient: true,
      channelsByDefault: 'resetchannels',
    });
    return [{ user, rules: maskRules(rules), place: undefined }];
  });
}

export interface FileUsers {
  lines: readonly UserLine[];
  engine: EngineVersion;
  /** The password of `default` where no line speaks of it: requirepass, or undefined. */
  requirepass: string | undefined;
  channelsByDefault: 'allchannels' | 'resetchannels' | undefined;
}

/** The users that a server has after it has read these lines: `default` is always one of them. */
export function usersOfLines({ lines, engine, requirepass, channelsByDefault }: FileUsers): UserFacts[] {
  const context = { engine, hash: sha256, channelsByDefault };
  const found = new Map<string, UserFacts>();
  for (const { name, rules, place } of lines) {
    const words = rules.map(({ text }) => text);
    const { user } = applyRules(name, words, context, found.get(name)?.user);
    found.set(name, { user, rules: maskRules(words), place });
  }
  if (!found.has('default')) {
    const words = [requirepass ? `>${requirepass}` : 'nopass', 'on', '~*', '+@all'];
    const { user } = applyRules('default', words, context);
    // A new server's own default reaches every channel, whatever others begin with.
    user.own.allChannels = true;
    found.set('default', { user, rules: maskRules(words), place: undefined });
  }
  return [...found.values()];
}
