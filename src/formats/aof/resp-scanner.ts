import { CommandHead } from './command-head.ts';

/** What the scanner makes of the bytes so far. Offsets count from the file's start. */
export interface RespScan {
  /** Bytes seen, with those before the scanner's start. */
  bytes: number;
  /** Complete commands, with those of an open transaction. */
  commands: number;
  /** Behind the last complete command outside of MULTI … EXEC: what a server would keep. */
  sound: number;
  /** Complete commands up to `sound`. */
  soundCommands: number;
  /** Seconds since 1970 of the first and last `#TS:` annotation. */
  timestamps: { first: number; last: number } | undefined;
  end: RespEnd;
}

export type RespEnd =
  | { state: 'ok' }
  /**
   * It ends inside a command, an annotation or a transaction whose first byte is at `sound`. `command` is where the
   * incomplete command starts; undefined where every command of the transaction is complete.
   */
  | { state: 'torn'; inside: 'command' | 'annotation' | 'transaction'; command: number | undefined }
  /** The byte at `offset` is not what it has to be. */
  | { state: 'corrupt'; offset: number; expected: string; found: string }
  /** The command at `offset` is an administrative one, which no server writes. Its name in capitals. */
  | { state: 'hostile'; offset: number; command: string };

/** A complete command. Valid during the call only. */
export interface RespCommand {
  offset: number;
  /** Behind it. */
  end: number;
  arguments: number;
  /** In lower case; undefined where it is longer than any command's. */
  readonly name: string | undefined;
  /** Its first bytes for people: `SET key:1 "a value" … (5 arguments)`. Control characters are escaped. */
  describe(): string;
}

const star = 0x2a;
const dollar = 0x24;
const hash = 0x23;
const cr = 0x0d;
const lf = 0x0a;

// What the next byte belongs to.
const atStart = 0;
const inCount = 1;
const atCountEnd = 2;
const atBulk = 3;
const inLength = 4;
const atLengthEnd = 5;
const inPayload = 6;
const atPayloadCr = 7;
const atPayloadLf = 8;
const inAnnotation = 9;

/** More digits than any count or length that can be meant: it stays exact in a double. */
const mostDigits = 15;
/** Servers take the number of arguments for an integer of 32 bits. */
const mostArguments = 2 ** 31 - 1;
/** AOF_ANNOTATION_LINE_MAX_LEN of aof.h. */
const longestAnnotation = 1024;

/**
 * Reads the framing of commands in an append only file, whatever the chunks, in memory that does not depend on them:
 * counts commands and finds where the last one that a server may keep ends. Annotations are found by the framing, since
 * a value may hold `\r\n#TS:` as well.
 */
export class RespScanner {
  readonly #onCommand: ((command: RespCommand) => void) | undefined;
  readonly #head = new CommandHead();
  #state = atStart;
  #at: number;
  #commands = 0;
  #sound: number;
  #soundCommands = 0;
  #inMulti = false;
  #timestamps: RespScan['timestamps'];
  /** Where reading has stopped for good. */
  #fault: (RespEnd & { state: 'corrupt' | 'hostile' }) | undefined;

  /** Of the command or annotation being read. */
  #start = 0;
  #count = 0;
  #left = 0;
  #number = 0;
  #digits = 0;
  #annotation = '';

  /** `offset`: where in the file the first byte is. `onCommand` is called for each complete command. */
  constructor(options: { offset?: number; onCommand?: (command: RespCommand) => void } = {}) {
    this.#at = options.offset ?? 0;
    this.#sound = this.#at;
    this.#onCommand = options.onCommand;
  }

  /** Does not keep `chunk`. Never throws: what is wrong is told by `result`. */
  update(chunk: Uint8Array): void {
    const base = this.#at;
    let at = 0;
    while (at < chunk.length && this.#fault === undefined) {
      if (this.#state === inPayload) {
        const part = Math.min(this.#number, chunk.length - at);
        this.#head.add(chunk, at, part);
        this.#number -= part;
        at += part;
        if (this.#number === 0) this.#state = atPayloadCr;
      } else {
        this.#at = base + at;
        this.#step(chunk[at++]!);
      }
    }
    this.#at = base + chunk.length;
  }

  /** More may follow. */
  result(): RespScan {
    return {
      bytes: this.#at,
      commands: this.#commands,
      sound: this.#sound,
      soundCommands: this.#soundCommands,
      timestamps: this.#timestamps,
      end: this.#fault ?? this.#openEnd(),
    };
  }

  /** The beginning of the incomplete command that it ends with, for people; undefined where there is none. */
  describeOpen(): string | undefined {
    if (this.#state === atStart || this.#state <= atCountEnd || this.#state === inAnnotation)
      return undefined;
    return this.#head.describe(this.#count);
  }

  #openEnd(): RespEnd {
    const command = this.#state === atStart || this.#state === inAnnotation ? undefined : this.#start;
    if (this.#inMulti) return { state: 'torn', inside: 'transaction', command };
    if (this.#state === atStart) return { state: 'ok' };
    return { state: 'torn', inside: command === undefined ? 'annotation' : 'command', command };
  }

  #step(byte: number): void {
    switch (this.#state) {
      case atStart:
        return this.#begin(byte);
      case inCount:
      case inLength:
        return this.#digit(byte);
      case atCountEnd:
        return this.#countEnd(byte);
      case atBulk:
        if (byte !== dollar) return this.#fail(byte, '$ and the length of an argument');
        return this.#expectNumber(inLength);
      case atLengthEnd:
        return this.#lengthEnd(byte);
      case atPayloadCr:
        if (byte !== cr) return this.#fail(byte, 'the line break behind an argument');
        this.#state = atPayloadLf;
        return;
      case atPayloadLf:
        if (byte !== lf) return this.#fail(byte, 'the line break behind an argument');
        return this.#argumentEnd();
      default:
        return this.#annotate(byte);
    }
  }

  #begin(byte: number): void {
    this.#start = this.#at;
    if (byte === star) return this.#expectNumber(inCount);
    if (byte !== hash) return this.#fail(byte, '* and the number of arguments, or an annotation');
    this.#annotation = '';
    this.#state = inAnnotation;
  }

  #expectNumber(state: typeof inCount | typeof inLength): void {
    this.#state = state;
    this.#number = 0;
    this.#digits = 0;
  }

  #digit(byte: number): void {
    if (byte >= 0x30 && byte <= 0x39) {
      if (++this.#digits > mostDigits) return this.#fail(byte, `a number of at most ${mostDigits} digits`);
      this.#number = this.#number * 10 + byte - 0x30;
      return;
    }
    if (byte !== cr || this.#digits === 0) return this.#fail(byte, 'a number and a line break');
    this.#state = this.#state === inCount ? atCountEnd : atLengthEnd;
  }

  #countEnd(byte: number): void {
    if (byte !== lf) return this.#fail(byte, 'the line break behind a number');
    if (this.#number === 0) return this.#fail(byte, 'a command of at least one argument');
    if (this.#number > mostArguments)
      return this.#fail(byte, `a command of at most ${mostArguments} arguments`);
    this.#count = this.#number;
    this.#left = this.#number;
    this.#head.begin();
    this.#state = atBulk;
  }

  #lengthEnd(byte: number): void {
    if (byte !== lf) return this.#fail(byte, 'the line break behind a number');
    this.#head.beginArgument(this.#number);
    this.#state = this.#number === 0 ? atPayloadCr : inPayload;
  }

  #argumentEnd(): void {
    if (--this.#left > 0) this.#state = atBulk;
    else this.#commandEnd();
  }

  #commandEnd(): void {
    const command = this.#head.administrative();
    if (command !== undefined) {
      this.#fault = { state: 'hostile', offset: this.#start, command };
      return;
    }
    const isMulti = this.#head.is('MULTI');
    const isExec = !isMulti && this.#head.is('EXEC');
    if (isMulti && this.#inMulti) return this.#failCommand('EXEC before the next MULTI', 'MULTI');
    if (isExec && !this.#inMulti) return this.#failCommand('MULTI before an EXEC', 'EXEC');
    this.#state = atStart;
    this.#commands++;
    if (isMulti) this.#inMulti = true;
    if (isExec) this.#inMulti = false;
    if (!this.#inMulti) {
      this.#sound = this.#at + 1;
      this.#soundCommands = this.#commands;
    }
    const head = this.#head;
    this.#onCommand?.({
      get name() {
        return head.name;
      },
      offset: this.#start,
      end: this.#at + 1,
      arguments: this.#count,
      describe: () => this.#head.describe(this.#count),
    });
  }

  #annotate(byte: number): void {
    if (byte !== lf) {
      if (this.#annotation.length >= longestAnnotation)
        return this.#fail(byte, `an annotation of at most ${longestAnnotation} bytes`);
      this.#annotation += String.fromCharCode(byte);
      return;
    }
    const seconds = /^TS:(\d{1,15})\r$/.exec(this.#annotation)?.[1];
    if (seconds !== undefined) {
      const last = Number(seconds);
      this.#timestamps = { first: this.#timestamps?.first ?? last, last };
    }
    this.#state = atStart;
    if (!this.#inMulti) this.#sound = this.#at + 1;
  }

  #fail(byte: number, expected: string): void {
    const found = byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `byte ${byte}`;
    this.#fault = { state: 'corrupt', offset: this.#at, expected, found };
  }

  #failCommand(expected: string, found: string): void {
    this.#fault = { state: 'corrupt', offset: this.#start, expected, found };
  }
}
