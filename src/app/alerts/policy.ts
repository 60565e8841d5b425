import type { Policy } from '../../alert/decide.ts';
import { localTimezone } from '../../lib/time/timezone.ts';
import type { App } from '../build-app.ts';
import { rulesById } from '../rules.ts';
import { nextMatch } from './next-match.ts';
import { ownWork } from './own-work.ts';

/** What the configuration says about who is told of what. */
export function alertPolicy({ settings }: App): Policy {
  const { alerts } = settings;
  const timezone = (): string => settings.timezone ?? localTimezone();
  const { digest } = alerts;
  let asked: { at: number; answer: number | null } | undefined;
  return {
    settings: alerts,
    rules: rulesById,
    // Asked for where it matters: a start does without.
    get timezone() {
      return timezone();
    },
    work: (state, now) =>
      ownWork(
        state,
        { instances: settings.instances.map(({ name }) => name), directory: settings.state.path },
        now,
      ),
    nextDigest(at) {
      if (digest === null) return null;
      if (asked?.at !== at) asked = { at, answer: nextMatch(digest, timezone(), at) };
      return asked.answer;
    },
  };
}
