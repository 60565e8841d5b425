import { RespScanner } from './resp-scanner.ts';

const mostTries = 20;

/**
 * How many complete commands follow inside `bytes`, which begin with something broken or incomplete. A tear at the end
 * of writing has nothing behind it; where commands follow, it is damage, which a server takes for a torn tail all the
 * same and silently cuts off.
 */
export function countCommandsBehind(bytes: Uint8Array): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  let most = 0;
  let tries = 0;
  for (const match of text.matchAll(/\r\n(?=\*\d{1,7}\r\n\$\d{1,9}\r\n[A-Za-z])/g)) {
    if (tries++ === mostTries) break;
    const scanner = new RespScanner();
    scanner.update(bytes.subarray(match.index + 2));
    most = Math.max(most, scanner.result().commands);
  }
  return most;
}
