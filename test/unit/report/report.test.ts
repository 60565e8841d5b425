import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { renderPage, contentSecurityPolicy } from '../../../src/report/html/page.ts';
import { availabilityOf } from '../../../src/report/model/availability.ts';
import type { InstanceFacts } from '../../../src/report/facts.ts';
import { buildReport } from '../../../src/report/model/index.ts';
import { renderText } from '../../../src/report/text.ts';
import { curve, reportNow, sampleFacts, sampleInstance } from '../../support/data/sample-report.ts';
import { runs } from '../../support/house/tier.ts';

const day = 24 * 60 * 60 * 1000;
const page = (...instances: Parameters<typeof sampleFacts>): string =>
  renderPage(buildReport(sampleFacts(...instances)), 'UTC');

const hostile = '<script>alert(1)</script>"\u001b[31m\u202e\ud800&';

describe('the page', () => {
  test('shows hostile names as text, in every place that takes one', () => {
    const tone = { severity: 'critical' as const, instance: hostile, evidence: {}, first_seen: 0 };
    const text = page(
      sampleInstance({
        name: hostile,
        server: { problem: hostile, hint: hostile },
        findings: [{ ...tone, rule: hostile, resource: hostile, summary: hostile, remedy: hostile }],
        episodes: [
          { rule: hostile, resource: hostile, severity: 'high', summary: hostile, opened: 0, closed: null },
        ],
        backups: { problem: hostile, hint: hostile },
        slow: [{ fingerprint: hostile, count: 1, totalMs: 1, p95Ms: 1, worstMs: 1 }],
        queues: [
          {
            name: hostile,
            kind: hostile,
            waiting: 1,
            active: 1,
            delayed: 1,
            failed: 1,
            workers: 0,
            oldestSeconds: 1,
            span: {
              waiting: [[0, 1]],
              mostWaiting: 1,
              oldestSeconds: 1,
              completed: 1,
              failed: 1,
              stalled: 1,
              stuck: [{ opened: 0, closed: null }],
            },
          },
        ],
        notices: [{ at: 0, channel: hostile, subject: hostile, outcome: hostile }],
        audit: {
          at: 0,
          score: 1,
          coverage: 1,
          counts: { critical: 1, high: 0, warning: 0, info: 0 },
          before: null,
          worst: [{ rule: hostile, title: hostile, severity: 'high', remedy: hostile }],
        },
      }),
    );
    expect(text).not.toContain('<script');
    // oxlint-disable-next-line no-control-regex -- that none is left is what is tested
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\ud800-\udfff]/);
    expect(text.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(12);
  });

  test('one name of a megabyte does not fill it', () => {
    const long = 'x'.repeat(1_000_000);
    const text = page(
      sampleInstance({ notices: [{ at: 0, channel: long, subject: long, outcome: 'sent' }] }),
    );
    expect(text.length).toBeLessThan(200_000);
  });

  test('asks for nothing from outside, by its policy and in its text', () => {
    const text = page(sampleInstance());
    expect(text).toContain(`content="${contentSecurityPolicy}"`);
    const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? '';
    expect(contentSecurityPolicy).toContain(createHash('sha256').update(style).digest('base64'));
    expect(contentSecurityPolicy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'/);
    expect(text).not.toMatch(/https?:|url\(|@import|<(?:img|script|link|iframe|form)\b| style=| on\w+=/);
  });

  test('a gap in the data is a gap in the line', () => {
    const memory = curve(10, (hours) => (hours > 100 && hours < 120 ? undefined : 1000 + hours));
    const text = page(sampleInstance({ history: { ...sampleInstance().history, memory } }));
    const line = /aria-label="Memory used[^>]*>[\s\S]*?class="line line-1" d="([^"]*)"/.exec(text)?.[1] ?? '';
    expect(line.match(/M/g)).toHaveLength(2);
  });

  test('a year of hourly values stays small', () => {
    const history = { ...sampleInstance().history, memory: curve(365, (hours) => 1e9 + hours) };
    expect(page(sampleInstance({ history })).length).toBeLessThan(3_000_000);
  });

  test('the first minute has a page too', () => {
    const none = sampleInstance({
      history: {
        from: null,
        lapsed: null,
        up: [],
        memory: [],
        commands: [],
        latencyP95: [],
        roundTrip: [],
        hitRate: [],
        clients: [],
        evictions: [],
        forecast: null,
      },
    });
    expect(page(none)).toContain('not watched');
  });

  test('is well formed for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const text = page(
          sampleInstance({ notices: [{ at: 0, channel: name, subject: name, outcome: 'sent' }] }),
        );
        const open = text.match(/<(?!\/|!|meta|circle|line|path|rect)[a-z][a-z0-9]*[^>]*>/g)?.length;
        const close = text.match(/<\/[a-z][a-z0-9]*>/g)?.length;
        // Marks are written `<circle …/>` where they hold no title.
        expect(open).toBe(close);
      }),
      { numRuns: runs(50) },
    );
  });
});

describe('the plain text', () => {
  test('holds every figure and every row of the page', () => {
    const facts = sampleFacts(
      sampleInstance({ slow: [{ fingerprint: 'KEYS *', count: 7, totalMs: 90, p95Ms: 12, worstMs: 20 }] }),
    );
    const report = buildReport(facts);
    const text = renderText(report, 'UTC');
    const said = report.sections.flatMap(({ title, blocks }) => [
      title,
      ...blocks.flatMap((block) =>
        block.kind === 'figures'
          ? block.figures.map(({ label, value }) => `${label}: ${value}`)
          : block.kind === 'table'
            ? block.table.rows.flat().map((cell) => cell.text)
            : [],
      ),
    ]);
    expect(said.length).toBeGreaterThan(20);
    expect(said.filter((words) => !text.includes(words))).toEqual([]);
  });
});

describe('availability', () => {
  const until = reportNow;
  test.for<[what: string, up: [number, number | null][], share: number | null, unseen: number]>([
    ['nobody looked', [], null, 10],
    ['always up', [[-10, 1]], 1, 0],
    [
      'down for a tenth',
      [
        [-10, 1],
        [-5, 0],
        [-4, 1],
      ],
      0.9,
      0,
    ],
    [
      'unknown counts neither way',
      [
        [-10, 1],
        [-5, null],
      ],
      1,
      5,
    ],
    [
      'what was before the span does not count',
      [
        [-20, 0],
        [-10, 1],
      ],
      1,
      0,
    ],
  ])('%s', ([, up, share, unseen]) => {
    const found = availabilityOf(
      up.map(([days, value]) => [until + days * day, value] as const),
      until - 10 * day,
      until,
    );
    expect(found.share === null ? null : Math.round(1000 * found.share) / 1000).toBe(share);
    expect(found.unseenMs).toBeCloseTo(unseen * day);
  });
});

describe('the verdict', () => {
  const finding = (severity: 'critical' | 'warning' | 'info', summary: string) => ({
    instance: 'main',
    rule: summary,
    resource: 'main',
    severity,
    summary,
    remedy: `mend ${summary}`,
    evidence: {},
    first_seen: 0,
  });

  const looked: Partial<InstanceFacts> = {
    audit: {
      at: 0,
      score: 100,
      coverage: 1,
      counts: { info: 0, warning: 0, high: 0, critical: 0 },
      before: null,
      worst: [],
    },
    backups: [{ id: '1', at: 0, kind: 'rdb', keys: 1, bytes: 1, proof: null, drill: null }],
  };

  test('says that all is well only where it is', () => {
    expect(buildReport(sampleFacts(sampleInstance(looked))).verdict).toMatchObject({
      tone: 'good',
      points: [],
    });
    const info = sampleInstance({ ...looked, findings: [finding('info', 'a')] });
    expect(buildReport(sampleFacts(info)).verdict.tone).toBe('good');
  });

  test('what nobody has looked at is not well', () => {
    const { history } = sampleInstance();
    const unseen = sampleInstance({ history: { ...history, from: null } });
    expect(buildReport(sampleFacts(unseen)).verdict).toMatchObject({
      tone: 'warning',
      headline: '3 warnings.',
      next: ['redis-agent run', 'redis-agent audit', 'redis-agent backup'],
    });
    const left = sampleInstance({ ...looked, history: { ...history, lapsed: reportNow - 3 * 86_400_000 } });
    expect(buildReport(sampleFacts(left)).verdict).toMatchObject({
      tone: 'warning',
      headline: '1 warning.',
      points: [{ text: expect.stringMatching(/^it has not been watched since 20\d\d-\d\d-\d\d \d\d:\d\d:/) }],
    });
    const backups = { problem: 'the repository cannot be read', hint: 'mount it' };
    expect(buildReport(sampleFacts(sampleInstance({ ...looked, backups }))).verdict).toMatchObject({
      tone: 'bad',
      points: [{ text: 'the repository cannot be read', advice: 'mount it' }],
    });
  });

  test('puts the worst first, sums up the rest, and names at most three next steps', () => {
    const findings = [...Array(12).keys()].map((index) => finding('warning', `w${index}`));
    const { verdict } = buildReport(
      sampleFacts(sampleInstance({ ...looked, findings: [...findings, finding('critical', 'c')] })),
    );
    expect(verdict.tone).toBe('bad');
    expect(verdict.points[0]?.text).toBe('c');
    expect(verdict.points).toHaveLength(9);
    expect(verdict.points.at(-1)?.text).toBe('and 5 further findings');
    expect(verdict.next).toEqual(['mend c', 'mend w0', 'mend w1']);
  });

  test('a server that cannot be asked is bad news', () => {
    const away = sampleInstance({ server: { problem: 'connection refused', hint: 'start it' } });
    expect(buildReport(sampleFacts(away)).verdict.tone).toBe('bad');
  });
});
