import { expect, test } from 'vitest';
import { setLimit } from '../../../src/monitor/host.ts';

const gib = 2 ** 30;

test.for<
  [
    what: string,
    values: Record<string, number>,
    container: number | undefined,
    limit: number | undefined,
    source: string | undefined,
  ]
>([
  ['maxmemory', { memory_max_bytes: gib, host_memory_total_bytes: 8 * gib }, 2 * gib, gib, 'maxmemory'],
  [
    'the container without maxmemory',
    { memory_max_bytes: 0, host_memory_total_bytes: 8 * gib },
    2 * gib,
    2 * gib,
    'container',
  ],
  [
    'the host where the container has more',
    { memory_max_bytes: 0, host_memory_total_bytes: 8 * gib },
    9 * gib,
    8 * gib,
    'host',
  ],
  ['the host', { memory_max_bytes: 0, host_memory_total_bytes: 8 * gib }, undefined, 8 * gib, 'host'],
  ['nothing at all', { memory_max_bytes: 0 }, undefined, undefined, undefined],
  [
    'a host without memory',
    { memory_max_bytes: 0, host_memory_total_bytes: 0 },
    undefined,
    undefined,
    undefined,
  ],
])('what bounds memory is %s', ([, values, container, limit, source]) => {
  const [seen, texts] = [{ ...values, memory_used_bytes: gib / 2 }, {} as Record<string, string>];
  setLimit(seen, texts, container);
  expect({
    limit: (seen as Record<string, number>)['memory_limit_bytes'],
    source: texts['limit_source'],
  }).toEqual({ limit, source });
});
