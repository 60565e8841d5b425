import { classes, embedHeader, embedLimit, embedsKeys } from '../scan-layout';

// What a key takes: as in ../memory-model.ts.

export function memoryOfString(nameBytes: u32, longest: u32, isInteger: bool, expires: f64): u32 {
  if (load<u32>(embedsKeys) == 0) {
    const key = 24 + classOf(textBytes(nameBytes));
    if (isInteger) return key + 16;
    return key + (longest <= 44 ? classOf(20 + longest) : 16 + classOf(textBytes(longest)));
  }
  const key = embeddedKey(nameBytes, expires);
  if (isInteger) return classOf(16 + key);
  const whole = load<u32>(embedHeader) + key + 4 + longest;
  return whole <= load<u32>(embedLimit) ? classOf(whole) : classOf(16 + key) + classOf(textBytes(longest));
}

export function memoryOfPacked(nameBytes: u32, longest: u32, expires: f64): u32 {
  return memoryOfKey(nameBytes, expires) + classOf(longest);
}

/** Key and object, without what a table or a packed string takes. */
export function memoryOfKey(nameBytes: u32, expires: f64): u32 {
  return load<u32>(embedsKeys) == 0
    ? 40 + classOf(textBytes(nameBytes))
    : classOf(16 + embeddedKey(nameBytes, expires));
}

function embeddedKey(nameBytes: u32, expires: f64): u32 {
  return 1 + textBytes(nameBytes) + (expires >= 0 || nameBytes >= 128 ? 8 : 0);
}

function textBytes(length: u32): u32 {
  return length + (length < 32 ? 2 : length < 256 ? 4 : 6);
}

function classOf(bytes: u32): u32 {
  if (bytes < 1024) return load<u16>(classes + (bytes << 1));
  const step = (<u32>1) << (29 - clz(bytes - 1));
  return (bytes + step - 1) & (0 - step);
}
