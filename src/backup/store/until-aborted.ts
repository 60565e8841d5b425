/** Carries what `put` has to pass on as it is: the producer's own error, or the signal's reason. */
export class PassOn {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    this.thrown = thrown;
  }
}

/**
 * A producer's chunks, until it ends, fails or the signal aborts. The latter two are thrown as `PassOn`, an abort at
 * once even while the producer is silent. Leaving the loop early tells the producer to stop (`return()`).
 */
export async function* untilAborted<T>(chunks: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = chunks[Symbol.asyncIterator]();
  let interrupt: ((reason: unknown) => void) | undefined;
  const onAbort = (): void => interrupt?.(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  // True while the producer owes an answer.
  let asked = false;
  try {
    for (;;) {
      if (signal.aborted) throw new PassOn(signal.reason);
      let result: IteratorResult<T>;
      asked = true;
      try {
        // Not Promise.race with one promise of the abort: that would keep every chunk alive until the end.
        result = await new Promise((resolve, reject) => {
          interrupt = reject;
          iterator.next().then(resolve, reject);
        });
      } catch (error) {
        throw new PassOn(error);
      }
      asked = false;
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    const stopped = iterator.return?.();
    // A silent producer stops when it comes to it, and nobody waits for it; one that rests stops now.
    if (asked) stopped?.catch(() => {});
    else await stopped;
  }
}
