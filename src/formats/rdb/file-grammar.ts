import { opcode } from './opcode-reader.ts';
import type { Engine } from './rdb-version.ts';
import { grammarOf, op, sections, type Grammar } from './value-grammar.ts';
import { typesOf } from './value-types.ts';

/** How many bytes follow opcodes that are followed by no token. */
export const fixedFollowers: Readonly<Record<number, number>> = {
  [opcode.expireTime]: 4,
  [opcode.expireTimeMs]: 8,
  [opcode.frequency]: 1,
};

/** What follows every other opcode, and every type's byte: a key and its value. */
export function followersOf(engine: Engine): (Grammar | undefined)[] {
  const followers = typesOf(engine).map((type) => type && [op.string, ...grammarOf(type)]);
  followers[opcode.selectDb] = [op.number, op.end];
  followers[opcode.resizeDb] = [op.number, op.number, op.end];
  followers[opcode.aux] = [op.string, op.string, op.end];
  followers[opcode.idle] = [op.number, op.end];
  followers[opcode.function2] = [op.string, op.end];
  followers[opcode.functionPreGa] = sections.earlyFunctions;
  followers[opcode.moduleAux] = [op.number, ...sections.moduleAux];
  followers[opcode.slotInfo] = sections.slotInfo;
  if (engine === 'valkey') followers[opcode.slotImport] = sections.slotImport;
  return followers;
}
