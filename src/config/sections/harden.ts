import { isIP } from 'node:net';
import * as z from 'zod';
import type { HardenSettings } from '../../domain/settings/harden.ts';
import { aclProfiles, findProfile } from '../../formats/acl/profiles/index.ts';
import { schedule, secretRef, text } from '../fields.ts';
import type { Section } from './section.ts';

const network = z.string().refine((value) => {
  const [address = '', bits] = value.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
}, 'is no network such as 10.0.1.0/24');

const rule = text.regex(/^\S+$/, 'holds white space; one pattern or command each');

const aclUser = z.strictObject({
  profile: z.string().refine((name) => findProfile(name) !== undefined, {
    error: () => `is no profile; there are ${aclProfiles.map(({ name }) => name).join(', ')}`,
  }),
  keys: z.array(rule).optional(),
  channels: z.array(rule).optional(),
  also: z.array(rule).optional(),
  without: z.array(rule).optional(),
});

export const hardenSection: Section<HardenSettings> = {
  schema: (folder) =>
    z
      .strictObject({
        enforce: z.boolean().default(false),
        drift: schedule.default('45 * * * *'),
        allowed_networks: z.array(network).default([]),
        acl: z.record(text.regex(/^\S+$/, 'holds white space; no ACL user has any'), aclUser).default({}),
        close_default: z.boolean().default(true),
        admin: z
          .strictObject({
            username: text.refine((value) => !/\s/.test(value), 'holds white space').optional(),
            password: secretRef(folder),
          })
          .optional(),
      })
      .prefault({}),
  show: (harden) => ({ ...harden, drift: harden.drift ?? 'off' }),
  example: `harden:
  # Whether what harden apply has made of a server still holds, or off: told as findings.
  drift: "45 * * * *"
  # Put run-time values back that somebody has changed since; the unit redis-agent-enforce does it. Files are never
  # changed by itself.
  enforce: false
  # From where clients may come; redis-agent harden plan shows what the firewall in use needs for it.
  # allowed_networks: [10.0.1.0/24]
  # What ACL users are for (docs/acl-profiles.md): harden apply makes them so, and audit --profile takes keys from here.
  # Once nobody needs it any more, default is closed too, unless close_default is false.
  # acl:
  #   worker: { profile: bullmq, keys: ["bull:*"] }
  #   web: { profile: session, keys: ["sess:*"], without: [scan] }
  # Who may change servers, read by harden and by that unit only; the agent's own user may not and need not.
  # admin: { username: admin, password: { credential: redis-admin } }
`,
};
