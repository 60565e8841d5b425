/** Commands whose data looks like what people keep in Redis, and compresses like it: the same for the same seed. */

const words = (
  'account active address amount archive article avatar basket billing campaign cancelled category checkout ' +
  'city comment company confirmed content country coupon created currency customer default delivery discount ' +
  'draft email enabled event expired failed feature feed first group history image inbox index invoice item ' +
  'language last level locale login manager message mobile monthly name notification offer order origin owner ' +
  'page partner password payment pending picture plan preview price priority product profile provider purchase ' +
  'quantity queue rating reason received refund region reminder report request retry review role sale schedule ' +
  'score search season section sender service session setting shipping size source status stock subject ' +
  'subscription summary support tag target team template ticket timezone title token total tracking transfer ' +
  'update user value variant vendor version visitor voucher warehouse webhook weekly window worker zone'
).split(' ');

/** mulberry32: small, fast, good enough for data. Yields integers in [0, below). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function many(count: number, make: () => string[]): string[] {
  return Array.from({ length: count }, make).flat();
}

/** Returns a function that makes the next command. Every reply is one line. */
export function commandMaker(seed: number): () => string[] {
  const random = randomOf(seed);
  const word = (): string => words[random(words.length)]!;
  const text = (count: number): string => Array.from({ length: count }, word).join(' ');
  const hex = (): string =>
    random(2 ** 32)
      .toString(16)
      .padStart(8, '0');
  const uuid = (): string =>
    `${hex()}-${hex().slice(4)}-4${hex().slice(5)}-a${hex().slice(5)}-${hex()}${hex().slice(4)}`;
  const time = (): string => new Date(1.76e12 + random(3e7) * 1000).toISOString();
  const digits = (): string => String(random(1e9));
  let serial = 0;
  const id = (): string => String(++serial);

  const json = (): string =>
    JSON.stringify({
      id: uuid(),
      type: word(),
      status: word(),
      user: { id: random(1e7), name: `${word()} ${word()}`, email: `${word()}.${digits()}@example.org` },
      items: Array.from({ length: 1 + random(6) }, () => ({
        sku: hex(),
        title: text(3),
        price: random(99_999) / 100,
      })),
      note: text(random(40)),
      created_at: time(),
    });
  const session = (): string[] => ['SET', `session:${uuid()}`, json(), 'EX', String(3600 + random(1e6))];
  const cached = (): string[] => ['SET', `cache:page:${id()}`, `<p>${text(50 + random(200))}</p>`.repeat(2)];
  const counter = (): string[] => ['SET', `count:${word()}:${id()}`, digits()];
  const token = (): string[] => ['SET', `token:${id()}`, Array.from({ length: 16 }, hex).join('')];
  const profile = (): string[] => {
    const fields = Array.from({ length: 6 + random(10) }, (_, i) => [
      `${word()}_${i}`,
      random(2) ? digits() : text(2),
    ]);
    return [
      'HSET',
      `user:${id()}`,
      'email',
      `${word()}${digits()}@example.org`,
      'seen',
      time(),
      ...fields.flat(),
    ];
  };
  const queue = (): string[] => ['RPUSH', `queue:${word()}:${random(500)}`, json(), json()];
  const board = (): string[] => [
    'ZADD',
    `board:${word()}:${random(200)}`,
    ...many(8, () => [digits(), `user:${digits()}`]),
  ];
  const tags = (): string[] => [
    'SADD',
    `tags:${id()}`,
    ...many(3 + random(20), () => [word() + String(random(50))]),
  ];

  const kinds = [
    session,
    session,
    session,
    cached,
    counter,
    counter,
    counter,
    token,
    profile,
    profile,
    queue,
    board,
    tags,
  ];
  return () => kinds[random(kinds.length)]!();
}

/** The same for strings of a few bytes: names of three kinds that are never the same, numbers, tokens, some expiring. */
export function smallCommandMaker(seed: number): () => string[] {
  const random = randomOf(seed);
  let serial = 0;
  return () => {
    const id = ++serial;
    switch (random(4)) {
      case 0:
        return ['SET', `counter:visits:${id}`, String(random(1e9))];
      case 1:
        return ['SET', `session:token:${id}`, random(2 ** 32).toString(16), 'EX', String(1e5 + random(1e6))];
      default:
        return [
          'SET',
          `user:profile:${id}:name`,
          `${words[random(words.length)]!} ${words[random(words.length)]!}`,
        ];
    }
  };
}
