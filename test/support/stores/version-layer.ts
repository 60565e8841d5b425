import type { IncomingMessage, ServerResponse } from 'node:http';

interface Version {
  id: string;
  bytes: number;
  mark: boolean;
}

/** Lets a server without versions seem to be one that keeps them: what is removed stays as an old version. */
export class VersionLayer {
  /** By key, oldest first. */
  readonly kept = new Map<string, Version[]>();
  #last = 0;

  /** Answers what the server itself knows nothing of. */
  answer({ method, url = '' }: IncomingMessage, response: ServerResponse): boolean {
    const { pathname, searchParams: query } = new URL(url, 'http://proxy');
    if (method === 'GET' && query.has('versioning'))
      return xml(response, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
    if (method === 'GET' && query.has('versions'))
      return xml(response, this.#list(query.get('prefix') ?? ''));
    const version = query.get('versionId');
    if (method !== 'DELETE' || version === null) return false;
    const key = keyOf(pathname);
    this.kept.set(
      key,
      (this.kept.get(key) ?? []).filter(({ id }) => id !== version),
    );
    response.writeHead(204).end();
    return true;
  }

  note(call: string, { url = '' }: IncomingMessage, bytes: number): void {
    const key = keyOf(new URL(url, 'http://proxy').pathname);
    const add = (version: Omit<Version, 'id'>): void => {
      this.#last += 1;
      this.kept.set(key, [...(this.kept.get(key) ?? []), { id: `v${this.#last}`, ...version }]);
    };
    if (call === 'PutObject') add({ bytes, mark: false });
    if (call === 'DeleteObject' && this.kept.get(key)?.at(-1)?.mark === false) add({ bytes: 0, mark: true });
  }

  #list(prefix: string): string {
    const entries = [...this.kept]
      .filter(([key]) => key.startsWith(prefix))
      .flatMap(([key, versions]) =>
        versions.map(({ id, bytes, mark }, at) => {
          const latest = at === versions.length - 1;
          const common = `<Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${latest}</IsLatest>`;
          return mark
            ? `<DeleteMarker>${common}</DeleteMarker>`
            : `<Version>${common}<Size>${bytes}</Size></Version>`;
        }),
      );
    return `<ListVersionsResult><IsTruncated>false</IsTruncated>${entries.join('')}</ListVersionsResult>`;
  }
}

function xml(response: ServerResponse, text: string): boolean {
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(text);
  return true;
}

function keyOf(pathname: string): string {
  return decodeURIComponent(pathname.split('/').slice(2).join('/'));
}
