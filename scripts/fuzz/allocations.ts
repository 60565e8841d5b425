/** Notes the largest array of bytes that anything asks for from now on. */
export function watchAllocations(): { largest: number } {
  const noted = { largest: 0 };
  const native = Uint8Array;
  globalThis.Uint8Array = new Proxy(native, {
    construct(target, args: unknown[], made) {
      if (typeof args[0] === 'number') noted.largest = Math.max(noted.largest, args[0]);
      return Reflect.construct(target, args, made === globalThis.Uint8Array ? native : made);
    },
  });
  return noted;
}
