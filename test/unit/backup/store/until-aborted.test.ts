import { describe, expect, test, vi } from 'vitest';
import { PassOn, untilAborted } from '../../../../src/backup/store/until-aborted.ts';

async function* numbers(seen: string[]): AsyncGenerator<number> {
  try {
    yield 1;
    yield 2;
  } finally {
    seen.push('stopped');
  }
}

const never = new AbortController().signal;

/** What a loop over `chunks` threw, and what it got first. */
async function run<T>(chunks: AsyncIterable<T>): Promise<{ got: T[]; thrown?: unknown }> {
  const got: T[] = [];
  try {
    for await (const chunk of chunks) got.push(chunk);
    return { got };
  } catch (error) {
    return { got, thrown: error };
  }
}

describe('untilAborted', () => {
  test('passes chunks on until the producer ends', async () => {
    const seen: string[] = [];
    expect(await run(untilAborted(numbers(seen), never))).toEqual({ got: [1, 2] });
    expect(seen).toEqual(['stopped']);
  });

  test('carries the producer’s own error', async () => {
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      throw new RangeError('broke');
    }
    const { got, thrown } = await run(untilAborted(failing(), never));
    expect(got).toEqual([1]);
    expect(thrown).toBeInstanceOf(PassOn);
    expect(thrown).toMatchObject({ thrown: new RangeError('broke') });
  });

  test('does not wait for a silent producer once the signal aborts', async () => {
    const abort = new AbortController();
    async function* silent(): AsyncGenerator<number> {
      yield 1;
      queueMicrotask(() => abort.abort('stop'));
      await new Promise(() => {});
    }
    const { got, thrown } = await run(untilAborted(silent(), abort.signal));
    expect(got).toEqual([1]);
    expect(thrown).toMatchObject({ thrown: 'stop' });
  });

  test('stops between chunks, and tells the producer', async () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const got: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const chunk of untilAborted(numbers(seen), abort.signal)) {
        got.push(chunk);
        abort.abort('stop');
      }
    };
    await expect(loop()).rejects.toMatchObject({ thrown: 'stop' });
    expect(got).toEqual([1]);
    expect(seen).toEqual(['stopped']);
  });

  test('tells the producer when the loop is left', async () => {
    const seen: string[] = [];
    for await (const chunk of untilAborted(numbers(seen), never)) if (chunk === 1) break;
    expect(seen).toEqual(['stopped']);
  });

  test('leaves no listener behind', async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await run(untilAborted(numbers([]), signal));
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed.mock.calls[0]?.[1]).toBe(added.mock.calls[0]?.[1]);
  });
});
