import { formatDuration } from '../../../lib/time/duration.ts';
import { patternRule } from '../queues/pattern-rule.ts';

/** Clocks differ, and a renewal may come with a moment more. */
const slack = 1.02;

export const keysExpireLate = patternRule(
  {
    id: 'keys-expire-late',
    severity: 'warning',
    title: 'Keys live for longer than planned',
    why: 'A session that lives for longer than it should can be used for longer by whoever took it.',
  },
  ({ name, longestTtl, settings, keys, sampled }) => {
    if (settings.ttl === undefined || longestTtl === null || longestTtl * 1000 <= settings.ttl * slack)
      return undefined;
    return {
      severity: 'warning',
      summary: `${name}: a key still has ${formatDuration(longestTtl * 1000)} to live, and no more than ${formatDuration(settings.ttl)} are planned`,
      remedy:
        'see where it is set: is a unit wrong (EX is seconds, PX milliseconds)? Or correct ttl: of monitor.patterns',
      evidence: { match: settings.match, keys, sampled, longest_ttl_seconds: Math.round(longestTtl) },
    };
  },
);
