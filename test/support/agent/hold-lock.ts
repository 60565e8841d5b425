/** A process of its own that takes the backup lock of `main` and holds it until it is killed. */
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { takeLock } from '../../../src/state/locks/lock.ts';

takeLock(process.argv[2] ?? '', { instance: 'main', kind: 'backup', clock: systemClock });
process.send?.('held');
setInterval(() => {}, 60_000);
