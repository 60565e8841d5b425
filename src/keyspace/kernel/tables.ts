import { embedsKeys, embedsMembers, hash, packsLists, set, zset } from '../scan-layout';
import { memoryOfKey } from './memory';

// What values take that are more than one string: as in ../memory-model.ts, and in the same order.

/** `plain`: as RdbRecord's plainBytes. */
export function memoryOfTable(
  layout: i32,
  nameBytes: u32,
  expires: f64,
  elements: u32,
  strings: u32,
  longest: u32,
  plain: u32,
): u32 {
  const count = <f64>elements;
  const bytes = layout == zset ? <f64>plain - count * 8 : <f64>plain;
  const mean = meanLength(count, <f64>strings, <f64>longest, bytes);
  const around = tableBytes(count);
  let value: f64;
  if (layout == set) value = around + count * meanText(mean, <f64>longest);
  else if (layout == hash) value = around + count * pairBytes(mean, <f64>longest);
  else if (layout != zset) value = listBytes(<f64>strings, <f64>longest, <f64>plain);
  else value = skiplistBytes() + around + count * (memberBytes(mean, <f64>longest) + 16.0 / 3.0);
  return <u32>floor(<f64>memoryOfKey(nameBytes, expires) + value + 0.5);
}

function listBytes(strings: f64, longest: f64, plain: f64): f64 {
  if (strings == 1 && load<u32>(packsLists) == 1 && longest <= 8192) return sizeClass(longest);
  const mean = strings <= 1 ? longest : plain / strings - 3;
  return 40 + strings * (32 + meanClass(mean, longest));
}

function tableBytes(elements: f64): f64 {
  if (load<u32>(embedsKeys) == 0) return 56 + elements * 24 + 8 * powerOfTwo(max(4, elements));
  const buckets = powerOfTwo((elements * 5) / 32);
  const chained = 0.87 * max(0, elements / buckets - 2.9) * elements;
  return 80 + 64 * buckets + chained;
}

function skiplistBytes(): f64 {
  return load<u32>(embedsMembers) == 0 ? 688 : 544;
}

function memberBytes(mean: f64, longest: f64): f64 {
  if (load<u32>(embedsMembers) == 0) return 48 + meanText(mean, longest);
  return meanClass(33 + textBytes(mean), 33 + textBytes(longest));
}

function pairBytes(mean: f64, longest: f64): f64 {
  if (load<u32>(embedsKeys) == 0) return 2 * meanText(mean, longest);
  const field = 1 + textBytes(mean);
  const pair = field + textBytes(mean);
  const spread = longest - mean;
  if (pair <= 128) return meanClass(pair, pair + spread);
  return meanClass(8 + field, 8 + field + spread) + meanClass(textBytes(mean), textBytes(longest));
}

function meanText(mean: f64, longest: f64): f64 {
  if (longest <= 4) return mean > 3 ? 12 : 8;
  return meanClass(textBytes(mean), textBytes(longest));
}

function meanLength(elements: f64, strings: f64, longest: f64, bytes: f64): f64 {
  const mean = (bytes - lengthBytes(elements)) / strings;
  return min(longest, mean - lengthBytes(mean));
}

function lengthBytes(number: f64): f64 {
  return number < 65 ? 1 : number < 16386 ? 2 : 5;
}

function meanClass(mean: f64, longest: f64): f64 {
  const shortest = 2 * mean - longest;
  if (shortest > 0) return (sizeClass(shortest) + 2 * sizeClass(mean) + sizeClass(longest)) / 4;
  return mean + (mean <= 128 ? 8 : mean / 12);
}

function textBytes(length: f64): f64 {
  return length + (length < 32 ? 2 : length < 256 ? 4 : length < 65536 ? 6 : 10);
}

function sizeClass(bytes: f64): f64 {
  if (bytes <= 8) return 8;
  const whole = <u32>ceil(bytes);
  if (bytes <= 128) return <f64>((whole + 15) & ~15);
  const step = (<u32>1) << (29 - clz(whole - 1));
  return <f64>((whole + step - 1) & (0 - step));
}

function powerOfTwo(number: f64): f64 {
  return <f64>((<u32>1) << (32 - clz(<u32>ceil(number) - 1)));
}
