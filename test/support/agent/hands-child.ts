// The process that works in a data directory, started by a test instead of the agent's own program.
import { handsCommand } from '../../../src/app/hands/command.ts';
import { workInFolder } from '../../../src/app/hands/work.ts';

const [, started, command, task = ''] = process.argv;
if (started === import.meta.filename && command === handsCommand) await workInFolder(task);
