import type { NoticeFile } from '../../domain/alert.ts';
import type { Failure } from './channel.ts';
import { failureOf, jsonOf, request, type Answer } from './http.ts';

interface PictureOptions {
  /** Calls a method of Slack's with the token. */
  call(this: void, method: string, body: object, signal: AbortSignal): Promise<Answer | Failure>;
  /** The message that it belongs to. */
  thread: { channel: string; ts: string };
  signal: AbortSignal;
}

/** Hangs a picture below a message: asks for a place, puts the bytes there, and shares them. Returns what went wrong. */
export async function addPicture(
  { name, content }: NoticeFile,
  { call, thread, signal }: PictureOptions,
): Promise<string | undefined> {
  const form = new URLSearchParams({
    filename: name,
    length: String(content.byteLength),
    alt_txt: 'The top of the report: the verdict, availability and memory',
  });
  const offered = await call('files.getUploadURLExternal', form, signal);
  if (!offered.ok) return offered.problem;
  const { upload_url: url, file_id: id } = jsonOf(offered);
  if (typeof url !== 'string' || typeof id !== 'string' || !/^https?:\/\//.test(url))
    return 'Slack offered no place for it';
  // The address is a secret for as long as it counts, and takes no token.
  const put = await request({ url, body: Uint8Array.from(content), signal, what: 'Slack’s place for files' });
  if (!put.ok) return put.problem;
  const refused = failureOf(put, 'Slack’s place for files');
  if (refused !== undefined) return refused.problem;
  const shared = await call(
    'files.completeUploadExternal',
    { files: [{ id, title: name }], channel_id: thread.channel, thread_ts: thread.ts },
    signal,
  );
  return shared.ok ? undefined : shared.problem;
}
