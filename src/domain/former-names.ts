import type { Finding } from './finding.ts';

/** What a rule was called once: by that name routes, silences and people may still call it. */
export interface FormerName {
  was: string;
  /** As it is called now. */
  rule: string;
  /** Of which resources; all of the rule's when left out. */
  resources?: readonly string[];
}

/** Rules that the watch had under names of its own. Their resource was the instance. */
export const formerNames: readonly FormerName[] = [
  { was: 'save-broken', rule: 'PER04', resources: ['rdb_last_bgsave_status'] },
  { was: 'aof-broken', rule: 'PER04', resources: ['aof_last_write_status', 'aof_last_bgrewrite_status'] },
  { was: 'aof-replay', rule: 'PER07' },
  { was: 'certificate-expiry', rule: 'TLS04' },
  { was: 'certificate-expiry', rule: 'TLS06' },
];

const byRule = Map.groupBy(formerNames, ({ rule }) => rule);

type Named = Pick<Finding, 'rule' | 'resource'>;

/** A finding as it is called, and as it was. */
export function namesOf({ instance, rule, resource }: Named & Pick<Finding, 'instance'>): readonly Named[] {
  const former = byRule.get(rule);
  if (former === undefined) return [{ rule, resource }];
  return [
    { rule, resource },
    ...former
      .filter(({ resources }) => resources?.includes(resource) ?? true)
      .map(({ was }) => ({ rule: was, resource: instance })),
  ];
}

/** What is called otherwise now, as somebody wrote it: the new names; none where it never was one. */
export function nowCalled(name: string): string[] {
  const asked = name.toLowerCase();
  return [...new Set(formerNames.filter(({ was }) => was === asked).map(({ rule }) => rule))];
}
