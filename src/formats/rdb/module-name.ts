const moduleLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The nine letters of six bits each that a module's 64-bit id holds above its version. */
export function moduleName(id: bigint): string {
  return Array.from({ length: 9 }, (_, at) => moduleLetters[Number((id >> BigInt(58 - 6 * at)) & 63n)]).join(
    '',
  );
}

/** Whose a module's value is, by what it begins with: 64 bits, after the byte that says so. */
export function moduleOf(raw: Uint8Array): string {
  if (raw[0] !== 0x81 || raw.length < 9) return 'unknown';
  return moduleName(new DataView(raw.buffer, raw.byteOffset, raw.length).getBigUint64(1));
}
