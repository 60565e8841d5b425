import { encodedArgument } from '../../redis/pipe/command-writer.ts';

/** Of the commands that write a whole value. */
export const words = {
  restore: encodedArgument('RESTORE'),
  set: encodedArgument('SET'),
  nx: encodedArgument('NX'),
  pxat: encodedArgument('PXAT'),
  absttl: encodedArgument('ABSTTL'),
  replace: encodedArgument('REPLACE'),
  idletime: encodedArgument('IDLETIME'),
  freq: encodedArgument('FREQ'),
  select: encodedArgument('SELECT'),
  asking: encodedArgument('ASKING'),
};
/** Of a RESTORE besides key, value and what every argument takes: its words. */
export const wordBytes = 64;
