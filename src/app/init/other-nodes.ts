import type { Info } from '../../formats/info/parse-info.ts';

/** More than anybody has, of a server that says what it likes. */
const most = 32;

/**
 * The master or the replicas that a server names and that none of these instances is, as `host:port`. A host that the
 * configuration calls by another name is among them.
 */
export function otherNodes(info: Info | undefined, urls: readonly string[]): string[] {
  if (info === undefined) return [];
  const known = new Set(urls.flatMap((url) => placeOf(url) ?? []));
  const places = [`${info.get('master_host') ?? ''}:${info.get('master_port') ?? ''}`];
  for (let index = 0; index < most; index += 1) {
    const [, host = '', port = ''] =
      /(?:^|,)ip=([^,]*),port=([^,]*)/.exec(info.get(`slave${index}`) ?? '') ?? [];
    places.push(`${host}:${port}`);
  }
  return [...new Set(places)].filter((place) => /^[\w.:-]{1,255}:\d{1,5}$/.test(place) && !known.has(place));
}

function placeOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  return `${host === 'localhost' ? '127.0.0.1' : host}:${port === '' ? '6379' : port}`;
}
