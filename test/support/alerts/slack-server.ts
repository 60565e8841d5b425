import { startHookServer, type HookAnswer, type HookRequest, type HookServer } from './hook-server.ts';

/** What was shared below a message. */
export interface SharedFile {
  name: string;
  bytes: Buffer;
  channel: string;
  thread: string;
}

export interface SlackServer {
  /** As `api` of a channel. */
  readonly api: string;
  readonly hook: HookServer;
  readonly posted: { ts: string; json: HookRequest['json'] }[];
  readonly shared: SharedFile[];
  /** What the methods answer instead, by their names. */
  readonly faults: Record<string, HookAnswer>;
}

/**
 * A stand-in for Slack's Web API, as its reference documents it: a token for each method, none for the address that a file is
 * put at, a file that was put before it is shared, a channel by its id, and a thread by a message that there is. It is not Slack.
 */
export async function startSlack(token: string): Promise<SlackServer> {
  const hook = await startHookServer();
  const offered = new Map<string, { name: string; length: number; bytes: Buffer | undefined }>();
  const server: SlackServer = { api: `${hook.url}/api`, hook, posted: [], shared: [], faults: {} };
  const answer = (body: object): HookAnswer => ({ status: 200, body });
  const no = (error: string): HookAnswer => answer({ ok: false, error });

  const methods: Record<string, (request: HookRequest) => HookAnswer> = {
    'chat.postMessage'({ json }) {
      const ts = `17000000${server.posted.length}.000100`;
      server.posted.push({ ts, json });
      return answer({ ok: true, ts, channel: 'C0OPS' });
    },
    'files.getUploadURLExternal'({ body, headers }) {
      const form = new URLSearchParams(body);
      const [name, length] = [form.get('filename'), Number(form.get('length'))];
      const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
      if (!isForm || name === null || !Number.isInteger(length) || length < 1) return no('invalid_arguments');
      const id = `F${offered.size}`;
      offered.set(id, { name, length, bytes: undefined });
      return answer({ ok: true, upload_url: `${hook.url}/upload/v1/${id}`, file_id: id });
    },
    'files.completeUploadExternal'({ json }) {
      for (const each of json.files) {
        const file = offered.get(String(each.id));
        if (file?.bytes === undefined) return no('file_not_found');
        if (json.channel_id !== 'C0OPS') return no('channel_not_found');
        if (!server.posted.some(({ ts }) => ts === json.thread_ts)) return no('invalid_thread_ts');
        server.shared.push({
          name: file.name,
          bytes: file.bytes,
          channel: json.channel_id,
          thread: json.thread_ts,
        });
      }
      return answer({ ok: true, files: json.files });
    },
  };

  hook.answer((request) => {
    const { path, headers, bytes } = request;
    const upload = /^\/upload\/v1\/(\w+)$/.exec(path)?.[1];
    if (upload !== undefined) {
      const fault = server.faults['upload'];
      if (fault !== undefined) return fault;
      const file = offered.get(upload);
      if (file === undefined || headers.authorization !== undefined || bytes.length !== file.length)
        return { status: 400, body: 'bad upload' };
      file.bytes = bytes;
      return { status: 200, body: `OK - ${bytes.length}` };
    }
    const method = path.replace('/api/', '');
    if (headers.authorization !== `Bearer ${token}`) return no('invalid_auth');
    return server.faults[method] ?? methods[method]?.(request) ?? no('unknown_method');
  });
  return server;
}
