import { hasReason } from '../../../domain/errors.ts';
import { findService } from '../../../redis/service/find-service.ts';
import { isUnreachable } from '../../../formats/acl/user.ts';
import { shellWord } from '../../../lib/process/shell-word.ts';
import { usersOfFiles } from '../users-of-files.ts';
import { cli, type NextStep, type Runbook, type Sight } from '../report.ts';

export const lockedOutRunbook: Runbook = async ({ connection, failure, instance, clock, signal }) => {
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  if (connection !== undefined)
    return {
      applies: false,
      found: [{ state: 'fine', text: `the agent gets in as ${instance.username ?? 'default'}` }],
      steps,
    };
  found.push({ state: 'cause', text: failure?.message ?? 'it does not let the agent in' });
  if (!hasReason(failure, 'wrongpass', 'noauth', 'noperm'))
    return {
      applies: false,
      found,
      steps: [{ why: 'first this', command: 'redis-agent runbook down', effect: 'looks' }],
    };
  const service = await findService(instance, undefined, { clock, signal }).catch(() => undefined);
  const unit = /^the unit (\S+)$/.exec(service?.description ?? '')?.[1];
  const files = usersOfFiles(service);
  if (files === undefined) {
    found.push({
      state: 'unknown',
      text: 'its users: its files are found by its unit, or by service: of the instance, and root may read them',
    });
    if (process.geteuid?.() !== 0)
      steps.push({
        why: 'root reads its files, and sees who could get in',
        command: `sudo redis-agent runbook locked-out --instance ${shellWord(instance.name)}`,
        effect: 'looks',
      });
  } else {
    const admins = files.users.filter(
      // Channels aside: in a file of 6.0 nothing speaks of them.
      ({ user }) => user.enabled && !isUnreachable(user) && user.own.allCommands && user.own.allKeys,
    );
    const names = admins.map(({ user }) => (user.noPassword ? `${user.name} (no password)` : user.name));
    found.push({
      state: 'note',
      text:
        names.length === 0
          ? `no user in ${files.path} may do everything`
          : `may do everything, by ${files.path}: ${names.join(', ')}`,
    });
    const own = instance.username ?? 'default';
    const mine = files.users.find(({ user }) => user.name === own)?.user;
    if (mine === undefined) found.push({ state: 'cause', text: `${own} is in none of its files` });
    else if (!mine.enabled) found.push({ state: 'cause', text: `${own} is off` });
    const [admin] = admins;
    if (admin !== undefined && admin.user.name !== own)
      steps.push({
        why: `as ${admin.user.name}, with its password: a new agent’s user, the configuration is kept as .bak`,
        command: `redis-agent init --force --url ${shellWord(instance.url)} --username ${shellWord(admin.user.name)} --password-file FILE`,
        effect: 'changes',
      });
    const lost =
      admin === undefined || admin.user.name === own
        ? 'nobody can get in at run time'
        : `only where nobody has the password of ${admins.map(({ user }) => user.name).join(' or ')}`;
    // No channels: 6.0 knows none, and nobody needs them for this.
    if (admin?.user.noPassword !== true)
      steps.push(
        {
          why: `${lost}: as root, a user rescue at the end of ${files.path}; its password comes to lie in ./rescue.secret`,
          command: `umask 077; { echo; openssl rand -hex 32 | tr -d '\\n' | tee rescue.secret | sha256sum | awk '{ print "user rescue on #" $1 " ~* +@all" }'; } >> ${shellWord(files.path)}`,
          effect: 'changes',
        },
        {
          why: 'it reads that at its start only: a stop saves where save lines say so; without them and without AOF all is gone',
          command: unit === undefined ? 'restart the server' : `systemctl restart ${shellWord(unit)}`,
          effect: 'loses',
        },
        {
          why: 'then a new agent’s user, as rescue; and take the line of rescue out again when you have another way in',
          command: `redis-agent init --force --url ${shellWord(instance.url)} --username rescue --password-file rescue.secret`,
          effect: 'changes',
        },
      );
  }
  steps.push({
    why: 'is it the password or the user?',
    command: `${cli(instance)} --user ${shellWord(instance.username ?? 'default')} --askpass PING`,
    effect: 'looks',
  });
  return { applies: true, found, steps };
};
