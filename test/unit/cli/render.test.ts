import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorDocument, renderError } from '../../../src/cli/render/error.ts';
import { createProgressBar } from '../../../src/cli/render/progress-bar.ts';
import { createStyle } from '../../../src/cli/render/style.ts';
import { renderTable } from '../../../src/cli/render/table.ts';
import { formatAge, formatTime } from '../../../src/cli/render/time.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { printable } from '../../../src/lib/text/printable.ts';
import { ManualClock } from '../../support/clocks/manual-clock.ts';

const plain = createStyle(false);
const colour = createStyle(true);

describe('printable', () => {
  test('shows what a terminal would obey', () => {
    expect(printable('a\u001b[31mb\r\nc\u202ed')).toBe('a\\x1b[31mb\\x0d\\x0ac\\u{202e}d');
    expect(printable('Ünïcode 日本語 ✓')).toBe('Ünïcode 日本語 ✓');
  });

  test('nothing that comes out is a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe('renderTable', () => {
  test('aligns, with colour as without, and trims', () => {
    const rows = [
      ['a', { text: '1', paint: colour.bad }],
      ['long\u001b[2J', { text: '22', paint: colour.good }],
    ];
    const table = renderTable([{ title: 'NAME' }, { title: 'N', align: 'right' }], rows);
    expect(table).toBe(
      'NAME          N\na             \u001b[31m1\u001b[39m\nlong\\x1b[2J  \u001b[32m22\u001b[39m',
    );
  });

  test('has no title line where no column has a title', () => {
    expect(renderTable([{ title: '' }], [['x']])).toBe('x');
  });
});

describe('errors', () => {
  test('one line: what, why, what next', () => {
    const error = new AgentError('redis', 'cannot connect: refused', { hint: 'start it', reason: 'refused' });
    expect(renderError(error, plain)).toBe('redis-agent: cannot connect: refused; start it');
    expect(errorDocument(error)).toEqual({
      error: { code: 'redis', reason: 'refused', message: 'cannot connect: refused', hint: 'start it' },
    });
  });

  test('nothing in a message reaches the terminal as a command to it', () => {
    expect(renderError(new AgentError('failed', 'key \u001b]0;x\u0007'), plain)).not.toMatch(
      /[\u001b\u0007]/,
    );
  });

  test('what is no AgentError says that it is a defect', () => {
    expect(renderError(new TypeError('x is not a function'), plain)).toMatch(
      /unexpected: x is not a function .* defect/,
    );
  });
});

describe('times', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  test.each([
    [0, 'now'],
    [40_000, '40 s ago'],
    [5 * 60_000, '5 min ago'],
    [6 * 3_600_000, '6 h ago'],
    [9 * 86_400_000, '9 d ago'],
    [-7_200_000, 'in 2 h'],
  ])('%i ms before', (age, text) => {
    expect(formatAge(now - age, now)).toBe(text);
  });

  test('in a zone', () => {
    expect(formatTime(now, 'Asia/Tokyo')).toBe('2026-11-21 21:00:00');
  });
});

describe('progress', () => {
  function bar(terminal: boolean): {
    out: string[];
    clock: ManualClock;
    progress: ReturnType<typeof createProgressBar>;
  } {
    const out: string[] = [];
    const clock = new ManualClock();
    return {
      out,
      clock,
      progress: createProgressBar({ write: (text) => void out.push(text), terminal, width: 80, clock }),
    };
  }

  test('on a terminal: bytes, rate, time left, within the width, and cleared', () => {
    const { out, clock, progress } = bar(true);
    progress.report({ phase: 'storing', done: 0, total: 100 * 2 ** 20, unit: 'bytes' });
    clock.advance(2000);
    progress.report({ phase: 'storing', done: 50 * 2 ** 20, total: 100 * 2 ** 20, unit: 'bytes' });
    progress.end();
    expect(out[1]).toMatch(/storing +\[#{10}\.{10}\] +50% 50 MiB of 100 MiB 25 MiB\/s .*left/);
    expect(out[1]?.length).toBeLessThanOrEqual(80 + 4);
    expect(out.at(-1)).toBe('\r\u001b[K');
  });

  test('elsewhere: a line every few seconds, nothing for short work', () => {
    const { out, clock, progress } = bar(false);
    for (let second = 0; second <= 12; second += 1) {
      progress.report({ phase: 'saving', done: second, total: 12 });
      clock.advance(1000);
    }
    progress.end();
    expect(out).toHaveLength(2);
    expect(out.join('')).not.toContain('\u001b');
  });
});

test('for scripts the reason of a lock is who holds it', () => {
  const error = new AgentError('locked', 'another run is under way', { holder: 'backup', hint: 'wait' });
  expect(errorDocument(error.retold('no restore'))).toEqual({
    error: { code: 'locked', reason: 'backup', message: 'no restore', hint: 'wait' },
  });
});
