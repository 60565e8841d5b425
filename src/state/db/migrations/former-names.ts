/**
 * What the watch told under names of its own is called as the audit calls it: findings and alerts, those that are over too,
 * so that their history goes on. One that the audit has open meanwhile gives way to the one that somebody was told of.
 */
const renames: readonly { was: string; rule: string; resource: string }[] = [
  { was: 'save-broken', rule: `'PER04'`, resource: `'rdb_last_bgsave_status'` },
  {
    was: 'aof-broken',
    rule: `'PER04'`,
    resource: `iif(EVIDENCE ->> 'last_write' IS NULL, 'aof_last_bgrewrite_status', 'aof_last_write_status')`,
  },
  { was: 'aof-replay', rule: `'PER07'`, resource: `'aof-replay'` },
  // Only that another one is served than lies on disk, and not that it ends soon.
  {
    was: 'certificate-expiry',
    rule: `iif(EVIDENCE ->> 'stale' AND EVIDENCE ->> 'threshold_days' IS NULL, 'TLS06', 'TLS04')`,
    resource: `'certificate'`,
  },
];

const of = (sql: string, evidence: string): string => sql.replaceAll('EVIDENCE', evidence);

export const renamedRules: string = renames
  .map(({ was, rule, resource }) => {
    const open = `body -> 'evidence'`;
    const named = `'$.rule', ${of(rule, `(${open})`)}, '$.resource', ${of(resource, `(${open})`)}`;
    return `
  UPDATE OR REPLACE episodes SET rule = ${of(rule, 'evidence')}, resource = ${of(resource, 'evidence')}
    WHERE rule = '${was}';
  UPDATE OR REPLACE alerts SET rule = ${of(rule, `(${open})`)}, resource = ${of(resource, `(${open})`)},
    body = json_set(body, ${named}) WHERE rule = '${was}';`;
  })
  .join('');
