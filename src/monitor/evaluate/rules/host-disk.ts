import { formatBytes } from '../../../lib/text/bytes.ts';
import { percent, sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, latest, latestText, levelOf, minute } from '../view.ts';

export const hostDisk: Evaluator = {
  rule: sampleRule({
    id: 'host-disk',
    severity: 'critical',
    title: 'The disk of the server is nearly full',
    why: 'Snapshots and the append only file fail then, and writes are refused.',
    for: minute,
    inhibitedBy: [],
  }),
  judge(view) {
    const free = latest(view, 'host_disk_free_bytes');
    const size = latest(view, 'host_disk_size_bytes');
    // A server elsewhere: its disk cannot be seen from here.
    if (free === undefined || size === undefined || !(size > 0)) return [];
    const used = 100 * (1 - free / size);
    const threshold = view.thresholds.disk_percent;
    const severity = levelOf(used, threshold, { was: view.was('host-disk', view.instance) });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `the file system of ${latestText(view, 'dir') ?? 'its data'} is ${percent(used)} full (${formatBytes(free)} free)`,
        remedy: 'make room: old dumps and logs first (du -xh --max-depth=2); then see what grows',
        evidence: { free_bytes: free, size_bytes: size, threshold_percent: boundOf(threshold, severity) },
      },
    ];
  },
};
