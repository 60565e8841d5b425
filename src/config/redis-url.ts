const forms = 'redis://host:6379, rediss://host:6379 for TLS, or unix:///run/redis/redis.sock';

/**
 * What is wrong with a server's URL and what would be right; undefined when it is good. Never repeats the URL, since
 * a password may be in it.
 */
export function redisUrlProblem(text: string): string | undefined {
  if (text.includes('@'))
    return 'a user or password does not belong in the URL; use username: and password: { file: … }';
  const scheme = /^([a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return `it has no scheme; write ${forms}`;
  if (!['redis', 'rediss', 'unix'].includes(scheme))
    return `its scheme is not redis, rediss or unix; write ${forms}`;
  // The URL parser drops tabs and line ends without a word.
  if (/[\s\p{Cc}]/u.test(text)) return 'it holds white space; write it without, or as %20 in a socket path';
  if (/[?#]/.test(text)) return 'it holds ? or #; options have keys of their own, such as tls: and username:';
  return scheme === 'unix' ? socketProblem(text) : addressProblem(text);
}

function socketProblem(text: string): string | undefined {
  const path = /^unix:\/\/(\/.+)$/i.exec(text)?.[1];
  if (path === undefined)
    return 'a socket needs its absolute path after three slashes; write unix:///run/redis/redis.sock';
  try {
    decodeURIComponent(path);
  } catch {
    return 'its % is not followed by two hex digits; write %25 for a % in the path';
  }
  return undefined;
}

function addressProblem(text: string): string | undefined {
  const [, host, port, rest] =
    /^[a-z]+:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]*)(?::([^/]*))?(\/.*)?$/i.exec(text) ?? [];
  if (host === undefined) return `its host is not a name or address; write ${forms}`;
  if (host === '') return `it has no host; write ${forms}`;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    return 'its port is not a number from 1 to 65535; Redis’s own is 6379';
  if (rest !== undefined && rest !== '/')
    return 'it has a path; leave the database number out, a backup holds all databases';
  return URL.canParse(text) ? undefined : `it is not a URL; write ${forms}`;
}
