import { expect, test } from 'vitest';
import { userIn } from '../../../../src/redis/connection/peer-user.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 101 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000   113        0 102 1 0 20 4 30 10 -1
`;

test('the user at the other end of a connection, and not at ours', () => {
  expect(userIn(table, { ours: 0x1f90, theirs: 0xc350 })).toBe(113);
  expect(userIn(table, { ours: 0xc350, theirs: 0x1f90 })).toBe(1000);
  expect(userIn(table, { ours: 0x1f90, theirs: 0xc351 })).toBeUndefined();
  expect(userIn('', { ours: 1, theirs: 2 })).toBeUndefined();
});
