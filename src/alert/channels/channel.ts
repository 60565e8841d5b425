import type { Notice, NoticeFile } from '../../domain/alert.ts';
import type { Secret, SecretRef } from '../../domain/secret.ts';
import type { MessageContext } from '../message/item.ts';

/**
 * One way to tell people. Whatever the other side does, `send` resolves, within `sendTimeout` or soon after its signal
 * aborts, and what it says holds no secret of ours. The same notice can be sent again after an attempt of which nobody
 * knows how it ended; it carries its key wherever there is a place for one, so that the other side can tell.
 */
export interface Channel {
  readonly name: string;
  /** Where it goes, without secrets: `ops@example.org by mail.example.org`. */
  readonly description: string;
  /** Least time between two messages, milliseconds. */
  readonly pace: number;
  send(notice: Notice, options: SendOptions): Promise<Sent>;
  /** Proves as much as can be without telling anybody anything. */
  check(signal: AbortSignal): Promise<Checked>;
  close(): void;
}

export interface SendOptions {
  signal: AbortSignal;
  /** What the first message of this thread was named by `Sent.reference`, if it was. */
  reference: string | undefined;
  /** What goes along with it, where there is a place for that. */
  files?: readonly NoticeFile[];
}

export type Sent =
  | {
      ok: true;
      /** What the other side said, in a few words. */
      answer: string;
      /** How later messages of the thread can name this one. */
      reference?: string | undefined;
    }
  | Failure;

export interface Failure {
  ok: false;
  /**
   * later: it may work then. never: it will not, until somebody changes something. refused: this message will not, others
   * may.
   */
  again: 'later' | 'never' | 'refused';
  /** The other side asks for so long a pause, milliseconds. */
  after?: number | undefined;
  /** What is wrong, in one line. */
  problem: string;
  /** What to do. */
  remedy: string;
}

export type Checked = { ok: true; detail: string } | { ok: false; problem: string; remedy: string };

/** What channels are made with. */
export interface ChannelTools {
  /** Throws an AgentError `usage` that names the setting. */
  secret(ref: SecretRef, what: string): Secret;
  context: MessageContext;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** An attempt that takes longer has failed. Milliseconds. */
export const sendTimeout = 30_000;
