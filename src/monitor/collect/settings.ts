import { atLeastVersion, type Collector } from './parts/collector.ts';
import { listOf, numberOf, shortened, textOf } from './parts/numbers.ts';

const asked = ['slowlog-log-slower-than', 'slowlog-max-len', 'maxclients', 'save', 'dir', 'tls-cert-file'];

/** What INFO does not tell of the configuration, as it is in force now. */
export const settingsCollector: Collector = {
  name: 'settings',
  rights: ['+config|get'],
  every: 60_000,
  frugal: 21_600_000,
  applies: ({ mode }) => mode !== 'sentinel',
  // Since 7.0 one answer tells several.
  commands: (known) =>
    atLeastVersion(known, 7) ? [['CONFIG', 'GET', ...asked]] : asked.map((name) => ['CONFIG', 'GET', name]),
  read(replies, { values, texts, known }) {
    const words = replies.flatMap((reply) => listOf(reply).map(textOf));
    const settings = new Map(
      words.flatMap((name, index) => (index % 2 === 0 ? [[name, words[index + 1] ?? '']] : [])),
    );
    const threshold = numberOf(settings.get('slowlog-log-slower-than') ?? null);
    if (threshold !== undefined) values['slowlog_threshold_seconds'] = threshold < 0 ? -1 : threshold / 1e6;
    const length = numberOf(settings.get('slowlog-max-len') ?? null);
    if (length !== undefined) known.slowMax = length;
    const most = numberOf(settings.get('maxclients') ?? null);
    if (most !== undefined) values['clients_max'] = most;
    for (const name of ['save', 'dir', 'tls-cert-file']) {
      const value = settings.get(name);
      if (value !== undefined) texts[name] = shortened(value, 1000);
    }
  },
};
