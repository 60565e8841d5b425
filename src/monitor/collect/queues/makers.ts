/** Commands that no queue comes of: they read, remove, administer, or write plain values and sets. */
const harmless = new RegExp(
  `^(?:${[
    'ping|echo|hello|auth|select|quit|reset|time|info|dbsize|role|wait|lastsave|lolwut|shutdown|save|bgsave|bgrewriteaof',
    '(?:client|config|command|slowlog|latency|memory|acl|object|script|pubsub|module|cluster|sentinel|function)(?:\\|.*)?',
    'monitor|psync|sync|replconf|multi|exec|discard|watch|unwatch|asking|readonly|readwrite|failover',
    '[ps]?subscribe|[ps]?unsubscribe|s?publish',
    // What a script calls is counted by itself.
    'eval(?:sha)?(?:_ro)?|fcall(?:_ro)?',
    'scan|keys|randomkey|exists|type|ttl|pttl|expiretime|pexpiretime|touch|dump|del|unlink|flushdb|flushall',
    'p?expire(?:at)?|persist',
    'get|set|setnx|p?setex|getset|getdel|getex|mget|mset|msetnx|append|strlen|substr|lcs',
    'setrange|getrange|(?:inc|dec)r(?:by)?|incrbyfloat|[gs]etbit|bit(?:count|pos|op|field|field_ro)',
    's(?:add|rem|pop|move|card|ismember|mismember|members|randmember|scan|inter|union|diff|intercard)',
    's(?:inter|union|diff)store|pf(?:add|count|merge)',
    'h(?:get|mget|getall|exists|len|del|keys|vals|scan|strlen|randfield|incrby|incrbyfloat)',
    'llen|lindex|lrange|lpos|lrem|ltrim|[lr]pop|b[lr]pop|b?lmpop|lset|[lr]pushx|linsert',
    'z(?:card|count|lexcount|score|mscore|rank|revrank|scan|randmember|rem|remrangeby\\w+|popmin|popmax|m?pop)',
    'bz(?:popmin|popmax|mpop)|z(?:rev)?range(?:by\\w+)?|z(?:inter|union|diff|intercard)',
    'x(?:len|range|revrange|read|readgroup|ack|del|trim|info|info\\|.*|pending|claim|autoclaim)',
    'geo(?:dist|hash|pos|search)|georadius(?:bymember)?_ro|sort_ro',
  ].join('|')})$`,
);

/**
 * How often anything was called that a queue may have come of; undefined: not known. What is not known by name, a module's
 * command or a newer server's, counts.
 */
export function callsOfMakers(costs: ReadonlyMap<string, { calls: number }> | undefined): number | undefined {
  if (costs === undefined) return undefined;
  let sum = 0;
  for (const [command, { calls }] of costs) if (!harmless.test(command)) sum += calls;
  return sum;
}
