/** Program and arguments by which this agent was started, less its command: how it starts another of itself. */
export function ownProgram(): string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? ''];
}
