const manual = 'https://redis.io/docs/latest/operate/oss_and_stack/management';

/** Where to read on, by subject. */
export const sources = {
  security: `${manual}/security/`,
  acl: `${manual}/security/acl/`,
  tls: `${manual}/security/encryption/`,
  config: `${manual}/config/`,
  persistence: `${manual}/persistence/`,
  replication: `${manual}/replication/`,
  sentinel: `${manual}/sentinel/`,
  cluster: `${manual}/scaling/`,
  admin: `${manual}/admin/`,
  eviction: 'https://redis.io/docs/latest/develop/reference/eviction/',
  clients: 'https://redis.io/docs/latest/develop/reference/clients/',
  systemd: 'https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html',
  proc: 'https://man7.org/linux/man-pages/man5/proc.5.html',
} as const;
