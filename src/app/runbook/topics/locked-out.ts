import { findService } from '../../../redis/find-service.ts';
import { hasEverything, isUnreachable } from '../../../formats/acl/user.ts';
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
  const reason = failure?.reason ?? '';
  found.push({ state: 'cause', text: failure?.message ?? 'it does not let the agent in' });
  if (!['wrongpass', 'noauth', 'noperm'].includes(reason))
    return {
      applies: false,
      found,
      steps: [{ why: 'first this', command: 'redis-agent runbook down', effect: 'looks' }],
    };
  const service = await findService(instance, undefined, { clock, signal }).catch(() => undefined);
  const unit = /^the unit (\S+)$/.exec(service?.description ?? '')?.[1];
  const files = usersOfFiles(service);
  if (files === undefined)
    found.push({
      state: 'unknown',
      text: 'its users: its files are found by its unit, or by service: of the instance, and root may read them',
    });
  else {
    const admins = files.users.filter(
      ({ user }) => user.enabled && !isUnreachable(user) && hasEverything(user),
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
        command: `redis-agent init --force --url ${instance.url} --username ${admin.user.name} --password-file FILE`,
        effect: 'changes',
      });
    else
      steps.push(
        {
          why: `nobody can get in at run time: put a user with a password that you know into ${files.path}, as this line`,
          command: `openssl rand -hex 32 | tr -d '\\n' | tee rescue.secret | sha256sum | awk '{ print "user rescue on #" $1 " ~* &* +@all" }' >> ${files.path}`,
          effect: 'changes',
        },
        {
          why: 'it reads that at its start only: save first if you can, and expect writes since the last save to be gone without AOF',
          command: unit === undefined ? 'restart the server' : `systemctl restart ${unit}`,
          effect: 'loses',
        },
      );
  }
  steps.push({
    why: 'is it the password or the user?',
    command: `${cli(instance)} --user ${instance.username ?? 'default'} --askpass PING`,
    effect: 'looks',
  });
  return { applies: true, found, steps };
};
