import type { Rule } from '../domain/rule.ts';
import { channelRule } from './engine/route.ts';

/** What is raised about telling people. */
export const alertRules: readonly Rule[] = [
  {
    id: channelRule,
    severity: 'high',
    title: 'alerts do not get through on a channel',
    why: 'Whoever relies on it believes that all is well; what could not be sent is kept for a day and told in one message.',
    page: 'docs/findings/alerts.md',
  },
];
