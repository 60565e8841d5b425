import type { UserFacts } from '../../harden/facts.ts';
import { readFiles } from '../../harden/read/read-files.ts';
import type { FoundService } from '../../redis/service/find-service.ts';

export interface UsersOfFiles {
  /** Where a user’s line belongs. */
  path: string;
  users: UserFacts[];
}

/** The users that the server’s files give it, read with its own user’s rights; undefined where its files cannot be seen. */
export function usersOfFiles(service: FoundService | undefined): UsersOfFiles | undefined {
  const words = service?.arguments;
  if (words?.file === undefined) return undefined;
  const files = readFiles(words.file, {
    // The newest words: a rule that an older one refuses is in no file of a server that runs.
    engine: { engine: 'redis', version: '8.0', docker: false },
    as: service?.user,
    options: words.directives,
    alone: false,
  });
  if (files.paths.length === 0) return undefined;
  return { path: files.aclfile?.path ?? files.name, users: files.aclfile?.users ?? files.users };
}
