import yargs from 'yargs';
import { describe, expect, test } from 'vitest';
import { loadCommands } from '../../../src/cli/commands/index.ts';
import { commandWord, parseArguments } from '../../../src/cli/parse-arguments.ts';

const { commands } = await loadCommands();

interface Found {
  usage: string;
  args: Record<string, unknown>;
}

async function parse(...argv: string[]): Promise<Found> {
  const parsed = await parseArguments(argv, 80);
  if (parsed.kind !== 'command') throw new Error(`no command: ${parsed.text}`);
  return { usage: parsed.command.usage, args: Object(parsed.args) };
}

async function text(...argv: string[]): Promise<string> {
  const parsed = await parseArguments(argv, 80);
  return parsed.kind === 'text' ? parsed.text : '';
}

const headings = (help: string): string[] => help.split('\n').filter((line) => /^[A-Z][a-z ]*:$/.test(line));

const offers = async (...words: string[]): Promise<string[]> =>
  (await text('--get-yargs-completions', 'redis-agent', ...words)).split('\n').map((line) => line.trim());

describe('a command that has commands below it', () => {
  test('is one of its own, with a word after it and without', async () => {
    expect(await parse('keys')).toMatchObject({
      usage: 'keys [source]',
      args: { source: 'latest', top: 20 },
    });
    for (const source of ['20261121T060000Z-7f3a', './diff', '-', 'previous', '/x/diff'])
      expect(await parse('keys', source)).toMatchObject({ usage: 'keys [source]', args: { source } });
    expect(await parse('keys', '--top', '5', 'a.rdb')).toMatchObject({ args: { source: 'a.rdb', top: 5 } });
  });

  test('gives way to those below it', async () => {
    const usage = 'keys diff [before] [after]';
    expect(await parse('keys', 'diff')).toMatchObject({
      usage,
      args: { before: 'previous', after: 'latest' },
    });
    expect(await parse('keys', 'diff', 'a')).toMatchObject({ usage, args: { before: 'a', after: 'latest' } });
    expect(await parse('keys', 'diff', '-', 'diff')).toMatchObject({
      usage,
      args: { before: '-', after: 'diff', by: 'memory' },
    });
  });

  test('keeps its options to itself', async () => {
    for (const option of [
      ['--separator', '/'],
      ['--type', 'hash'],
      ['--depth', '2'],
    ])
      await expect(parse('keys', 'diff', 'a', 'b', ...option)).rejects.toMatchObject({ code: 'usage' });
    await expect(parse('keys', 'a', '--by', 'keys')).rejects.toMatchObject({ code: 'usage' });
    // What is for all commands stays for all.
    expect(await parse('keys', 'diff', '--instance', 'x', '--json')).toMatchObject({
      args: { instance: 'x', json: true },
    });
  });

  test('takes no more words than it has', async () => {
    await expect(parse('keys', 'a', 'b')).rejects.toThrow('unknown argument: b');
    await expect(parse('keys', 'diff', 'a', 'b', 'c')).rejects.toThrow('unknown argument: c');
  });

  test('has a help that names them, and each of them its own', async () => {
    const own = await text('keys', '--help');
    expect(own).toContain('redis-agent keys [source]');
    expect(own).toContain('redis-agent keys diff [before] [after]');
    expect(own).toContain('--separator');
    const below = await text('keys', 'diff', '--help');
    expect(below).toContain('--by');
    expect(below).not.toContain('--separator');
    const all = await text('--help');
    expect(all).toContain('redis-agent keys [source]');
    expect(all.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('is completed with them and with its options', async () => {
    expect(await offers('keys', '')).toEqual(['diff']);
    expect(await offers('keys', '--')).toEqual(
      expect.arrayContaining(['--separator', '--stored', '--csv', '--json']),
    );
    const below = await offers('keys', 'diff', '--');
    expect(below).toEqual(expect.arrayContaining(['--by', '--full', '--json']));
    expect(below).not.toContain('--separator');
    expect(await offers('keys', 'diff', '--by', '')).toEqual(['memory', 'bytes', 'keys']);
    expect(await offers('backups', '')).toEqual(expect.arrayContaining(['list', 'show', 'verify']));
  });
});

/** Options that a command does not do without. */
const demanded: Record<string, string[]> = {
  'harden render': ['--policy', 'queue'],
  'harden tls enable': ['--cert', 'c', '--key', 'k', '--ca', 'a'],
  'maintenance done <task>': ['--note', 'x'],
  'maintenance skip <task>': ['--why', 'x'],
};

test('every option that is no flag asks for its value', () => {
  const without = commands.flatMap((command) => {
    const { usage } = command;
    const parser = yargs();
    command.options?.(parser);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exists in every release, the types lack it
    const { key, boolean, narg } = (parser as unknown as { getOptions(): ParserOptions }).getOptions();
    const positional = [...usage.matchAll(/[[<]([\w-]+)/g)].map(([, name]) => name);
    return Object.keys(key)
      .filter((name) => /^[a-z][a-z-]+$/.test(name) && !boolean.includes(name) && narg[name] === undefined)
      .filter(
        (name) => !positional.includes(name) && !['help', 'version', 'config', 'instance'].includes(name),
      )
      .map((name) => `${usage} --${name}`);
  });
  // Its only instance, and a length of its own.
  expect(without).toEqual(['check --connection', 'check --watch']);
});

interface ParserOptions {
  key: Record<string, unknown>;
  boolean: string[];
  narg: Record<string, number>;
}

test('every command can be typed as its usage says', async () => {
  for (const { usage } of commands) {
    const words = usage
      .split(' ')
      .flatMap((word) => (word.startsWith('[') ? [] : [word.replaceAll(/[<>]/g, '')]));
    expect((await parse(...words, ...(demanded[usage] ?? []))).usage).toBe(usage);
  }
});

test('a word loads the commands that begin with it, and no others', async () => {
  const first = ({ usage }: { usage: string }): string => usage.split(' ')[0] ?? '';
  for (const word of new Set(commands.map(first)))
    expect((await loadCommands(word)).commands).toEqual(
      commands.filter((command) => first(command) === word),
    );
});

test.each([
  'status --config a.yaml',
  '--config a.yaml status --json',
  '--config=a.yaml --instance main -q --no-color status',
  '--json --config status status',
])('%s: the command is found behind the options of all', async (line) => {
  expect(commandWord(line.split(' '))).toBe('status');
  expect((await parse(...line.split(' '))).usage).toBe('status');
});

test.each(['', '--config', '--config a.yaml', '--json -v'])('%j names no command', (line) => {
  expect(commandWord(line.split(' ').filter((word) => word !== ''))).toBeUndefined();
});

describe('help', () => {
  test('tells of a command before it tells what all commands have', async () => {
    expect(headings(await text('restore', '--help'))).toEqual([
      'Positionals:',
      'Options:',
      'Keys into a running server:',
      'Everywhere:',
      'Examples:',
    ]);
    expect(headings(await text('keys', 'diff', '--help'))).toEqual([
      'Positionals:',
      'Options:',
      'Everywhere:',
      'Examples:',
    ]);
    expect(headings(await text('status', '--help'))).toEqual(['Options:', 'Everywhere:', 'Examples:']);
  });

  test('is asked for before a command, too', async () => {
    for (const command of [['restore'], ['keys', 'diff'], ['backups'], []])
      expect(await text('help', ...command)).toBe(await text(...command, '--help'));
  });

  test('of the completion is no script', async () => {
    for (const words of [
      ['completion', '--help'],
      ['completion', '-h'],
      ['help', 'completion'],
    ])
      expect(await text(...words)).toContain('source <(redis-agent completion)');
  });
});
