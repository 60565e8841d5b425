import { rightsOf, type AclUser } from '../../formats/acl/user.ts';
import { sha256Of } from '../../harden/apply/fingerprint.ts';

/** What it may do and whether anybody gets in as it, without passwords: a new password is no drift. */
export function markOf(user: AclUser): string {
  return sha256Of(rightsOf(user));
}
