import { expect, test } from 'vitest';
import { releaseMemory } from '../../../../src/lib/memory/release-memory.ts';

test('empties a buffer with memory of its own', () => {
  const whole = Buffer.allocUnsafeSlow(100);
  releaseMemory(whole);
  expect(whole.buffer.byteLength).toBe(0);
  const part = Buffer.allocUnsafeSlow(2 ** 20).subarray(5, 10);
  releaseMemory(part);
  expect(part).toHaveLength(0);
});

test("leaves Node's shared pool alone", () => {
  const pooled = Buffer.from('a short text');
  releaseMemory(pooled);
  expect(pooled.toString()).toBe('a short text');
});
