import { counted, verb } from '../../../lib/text/counted.ts';
import type { ClusterNode } from '../../facts.ts';
import { setting, type AuditFacts } from '../../facts.ts';
import { check, given, notHere, type Check, type Violation } from '../check.ts';
import { sources } from '../sources.ts';

function ofCluster(judge: (nodes: readonly ClusterNode[], facts: AuditFacts) => Violation[]): Check['judge'] {
  return (facts) =>
    given(facts.server, ({ info, cluster }) => {
      if (info.get('cluster_enabled') !== '1') return notHere('cluster mode is off');
      return given(cluster, (nodes) =>
        judge(
          nodes.filter(({ flags }) => !/noaddr|handshake/.test(flags)),
          facts,
        ),
      );
    });
}

const masters = (nodes: readonly ClusterNode[]): ClusterNode[] =>
  nodes.filter(({ flags }) => /master/.test(flags));
const proof = 'CLUSTER NODES';

const few: Check = check(
  'CLU01',
  {
    severity: 'high',
    title: 'fewer than three masters',
    why: 'A failover needs the majority of masters: with two, the loss of one stops it.',
    source: sources.cluster,
  },
  ofCluster((nodes) => {
    const count = masters(nodes).filter(({ slots }) => slots).length;
    return count >= 3
      ? []
      : [
          {
            resource: 'cluster',
            summary: `${counted(count, 'master')} ${verb(count, 'holds', 'hold')} slots; three are the fewest that survive the loss of one`,
            remedy: 'add masters and move slots: redis-cli --cluster add-node, then --cluster rebalance',
            effect: 'host',
            proof,
          },
        ];
  }),
);

const alone: Check = check(
  'CLU02',
  {
    severity: 'high',
    title: 'a master without a replica, or with all of them on its own host',
    why: 'When it is lost, its slots are: the cluster stops, or loses that part of the data.',
    source: sources.cluster,
  },
  ofCluster((nodes) =>
    masters(nodes)
      .filter(({ slots }) => slots)
      .flatMap(({ id, host }) => {
        const replicas = nodes.filter(({ master }) => master === id);
        if (replicas.some((each) => each.host !== host)) return [];
        return [
          {
            resource: id.slice(0, 12),
            severity: replicas.length === 0 ? ('high' as const) : ('warning' as const),
            summary: `the master ${id.slice(0, 12)} on ${host} has ${replicas.length === 0 ? 'no replica' : 'its replicas on the same host'}`,
            remedy: `on another host: redis-cli --cluster add-node NEW ANY --cluster-slave --cluster-master-id ${id}`,
            effect: 'host' as const,
            proof,
          },
        ];
      }),
  ),
);

const timeout: Check = check(
  'CLU03',
  {
    severity: 'warning',
    title: 'a node timeout that is far from the usual',
    why: 'Below some seconds a slow disk begins failovers; above a minute an outage lasts that long.',
    source: sources.cluster,
  },
  ofCluster((_nodes, facts) => {
    const value = Number(setting(facts, 'cluster-node-timeout').value?.value ?? 15_000);
    return value >= 3000 && value <= 60_000
      ? []
      : [
          {
            resource: 'cluster-node-timeout',
            summary: `cluster-node-timeout is ${value} ms`,
            remedy: 'CONFIG SET cluster-node-timeout 15000 on every node, and the same into the files',
            effect: 'run time',
            proof: 'CONFIG GET cluster-node-timeout',
          },
        ];
  }),
);

const masterPassword: Check = check(
  'REP01',
  {
    severity: 'high',
    title: 'no masterauth, although a failover would need it',
    why: 'After a failover the old master comes back as a replica, and is refused: there is one copy less until somebody notices.',
    source: sources.sentinel,
  },
  (facts) =>
    given(facts.server, ({ info, config, unauthenticated, watched }) =>
      given(config, (settings) => {
        const replicated = info.get('role') === 'slave' || Number(info.get('connected_slaves') ?? 0) > 0;
        if (!replicated) return notHere('it has no replica and is none');
        const open = unauthenticated.value === 'pong';
        const masterauth = settings.get('masterauth') ?? '';
        if (open || masterauth !== '') return [];
        return [
          {
            resource: 'masterauth',
            severity: watched.value === true || info.get('cluster_enabled') === '1' ? 'high' : 'warning',
            summary:
              'a password is needed here and masterauth is empty: as a replica this node could not log in to its master',
            remedy: 'CONFIG SET masteruser and masterauth on every node, and the same into the files',
            effect: 'run time',
            proof: 'CONFIG GET masterauth, INFO replication',
          },
        ];
      }),
    ),
);

export const cluChecks: readonly Check[] = [few, alone, timeout, masterPassword];
