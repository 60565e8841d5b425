import type { Layout } from './layout.ts';

/** Data files that there are, by what they are to the server; paths relative to the data directory. */
export interface DataFiles {
  dump?: string;
  aofFile?: string;
  aofDir?: string;
}

/**
 * One change of names. Each is atomic, and can be made again after it was made: `inode` is that of what is moved, so that
 * one can tell it from what has come to its old place since.
 */
export type FileMove =
  /** A second name (hard link) for what must not be lost. */
  | { do: 'keep'; from: string; to: string }
  /**
   * What is at `to` is replaced where it is kept elsewhere, at `kept`; else it is set aside first. `passing`: a later move
   * takes it away again, so it is no loss when it is nowhere.
   */
  | { do: 'move'; from: string; to: string; kept?: string; inode?: string; passing?: true }
  /** Removes a name of ours: only where it is still the same file as `twin`. */
  | { do: 'drop'; path: string; twin: string };

export interface SwapInput {
  layout: Layout;
  /** What is in the places now. */
  present: { dump: boolean; aofFile: boolean; aofDir: boolean };
  incoming: DataFiles;
  /** Takes the AOF folder's place while it is changed (see below): a file of ours that also has its `secondName`. */
  bridge: string;
  /** Behind the names of what is set aside. */
  suffix: string;
}

/** The name of the bridge that is moved; by the first it is known again. */
export function secondName(bridge: string): string {
  return `${bridge}.placed`;
}

/**
 * The moves that put `incoming` into the places and set aside what is there, in an order in which a start of the server at
 * any moment finds either all of the old data or all of the new: what the next start reads changes in one rename.
 *
 * A folder cannot be replaced in one rename. Between the two that it takes, a server of 7.0 or newer would start empty; but
 * it takes a single file of the name `appendfilename` for an AOF of before 7.0 when there is no folder, and starts from
 * that, also from an RDB. So the bridge lies there meanwhile: the new data, or, where that is no single file, one that no
 * server can load, so that it does not start at all.
 */
export function planSwap(input: SwapInput): { moves: FileMove[]; kept: DataFiles } {
  const { authority } = input.layout;
  const kept: DataFiles = {};
  const file = (name: 'dump' | 'aofFile'): FileMove[] => replaceFile(input, name, kept);
  if (authority === 'rdb')
    return { moves: [...file('dump'), ...file('aofFile'), ...replaceFolder(input, kept)], kept };
  if (authority === 'single')
    return { moves: [...file('aofFile'), ...replaceFolder(input, kept), ...file('dump')], kept };
  return { moves: [...bridged(input, kept), ...file('dump')], kept };
}

function replaceFile(
  { layout, present, incoming, suffix }: SwapInput,
  which: 'dump' | 'aofFile',
  kept: DataFiles,
): FileMove[] {
  const name = layout.names[which];
  const from = incoming[which];
  const aside = `${name}${suffix}`;
  if (present[which]) kept[which] = aside;
  if (from === undefined) return present[which] ? [{ do: 'move', from: name, to: aside }] : [];
  if (!present[which]) return [{ do: 'move', from, to: name }];
  return [
    { do: 'keep', from: name, to: aside },
    { do: 'move', from, to: name, kept: aside },
  ];
}

/** One that the next start does not read. */
function replaceFolder({ layout, present, incoming, suffix }: SwapInput, kept: DataFiles): FileMove[] {
  const name = layout.names.aofDir;
  const aside = `${name}${suffix}`;
  if (present.aofDir) kept.aofDir = aside;
  return [
    ...(present.aofDir ? [{ do: 'move', from: name, to: aside } as const] : []),
    ...(incoming.aofDir === undefined ? [] : [{ do: 'move', from: incoming.aofDir, to: name } as const]),
  ];
}

function bridged(input: SwapInput, kept: DataFiles): FileMove[] {
  const { layout, present, incoming, bridge, suffix } = input;
  // Nothing to be bridged: one rename takes it away, or brings it. The folder counts before the file does.
  if (incoming.aofDir === undefined)
    return [...replaceFile(input, 'aofFile', kept), ...replaceFolder(input, kept)];
  if (!present.aofDir && !present.aofFile)
    return [...replaceFolder(input, kept), ...replaceFile(input, 'aofFile', kept)];
  const { aofFile } = layout.names;
  const aside = `${aofFile}${suffix}`;
  const way = secondName(bridge);
  if (present.aofFile) kept.aofFile = aside;
  return [
    ...(present.aofFile ? [{ do: 'keep', from: aofFile, to: aside } as const] : []),
    { do: 'move', from: way, to: aofFile, passing: true, ...(present.aofFile ? { kept: aside } : {}) },
    ...replaceFolder(input, kept),
    incoming.aofFile === undefined
      ? { do: 'drop', path: aofFile, twin: bridge }
      : { do: 'move', from: incoming.aofFile, to: aofFile, kept: bridge },
  ];
}
