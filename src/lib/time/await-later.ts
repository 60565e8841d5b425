/** The same promise; its rejection counts as handled even if it comes before somebody awaits it. */
export function awaitLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
