import type { Notice, NoticeItem } from '../../domain/alert.ts';
import type { AlertSettings } from '../../domain/settings/alerts.ts';
import { messageOf } from '../../domain/errors.ts';
import type { Log } from '../../domain/log.ts';
import { signLink } from '../../lib/signed-link.ts';
import { linkKey } from './link-key.ts';

/** Makes the link of an alert in a message; undefined where none is wanted. The same notice has the same one each time. */
export function linkMaker(
  { links, public_url: base }: AlertSettings,
  directory: string,
  log: Log,
): ((item: NoticeItem, notice: Notice) => string | undefined) | undefined {
  if (links === null || base === undefined) return undefined;
  return ({ episode, acknowledged }, { kind, at, channel }) => {
    // Of a test there is no alert; what is taken on has nothing left to be done by a link but silence.
    if (episode <= 0 || acknowledged || kind === 'test') return undefined;
    const until = Math.floor((at + links) / 1000);
    try {
      const token = signLink({ alert: episode, until, channel }, linkKey(directory));
      return `${base.replace(/\/+$/, '')}/a/${token}`;
    } catch (error) {
      // The message is worth more than its link.
      log.error({ cause: messageOf(error) }, 'no link in a message');
      return undefined;
    }
  };
}
