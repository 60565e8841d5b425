import type { Block, Point } from '../document.ts';
import type { EpisodeFacts, InstanceFacts, ReportFacts } from '../facts.ts';
import { cell, figure, formatMoment, formatSpan, plural, toneOf } from './format.ts';

export interface Availability {
  /** Share of the watched time in which the server answered, 0..1; null: nothing was watched. */
  share: number | null;
  watchedMs: number;
  downMs: number;
  /** Part of the span in which nobody looked. */
  unseenMs: number;
}

/**
 * Of the samples of `up` (1: it answered). Each sample speaks for the time until the next one; a null for time in which
 * nothing was known, which counts neither as up nor as down.
 */
export function availabilityOf(up: readonly Point[], since: number, until: number): Availability {
  let [watched, down] = [0, 0];
  up.forEach(([at, value], index) => {
    const end = Math.min(up[index + 1]?.[0] ?? until, until);
    const length = Math.max(0, end - Math.max(at, since));
    if (value === null) return;
    watched += length;
    // A sample of a longer span holds the share of the time in which it was up.
    down += length * (1 - Math.min(1, Math.max(0, value)));
  });
  return {
    share: watched === 0 ? null : 1 - down / watched,
    watchedMs: watched,
    downMs: down,
    unseenMs: Math.max(0, until - since - watched),
  };
}

export function availabilityBlocks(instance: InstanceFacts, { since, now, timezone }: ReportFacts): Block[] {
  const { share, watchedMs, downMs, unseenMs } = availabilityOf(instance.history.up, since, now);
  const resolved = instance.episodes.filter(({ closed }) => closed !== null);
  const lengths = resolved.map(({ opened, closed }) => (closed ?? opened) - opened).toSorted((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)];
  return [
    {
      kind: 'figures',
      figures: [
        share === null
          ? figure('Availability', 'not watched', 'start the daemon to measure it')
          : figure(
              'Availability',
              `${(Math.floor(share * 100_000) / 1000).toFixed(3)} %`,
              `${formatSpan(downMs)} not answering in ${formatSpan(watchedMs)} watched`,
              share >= 0.999 ? 'good' : share >= 0.99 ? 'warning' : 'bad',
            ),
        figure('Not watched', formatSpan(unseenMs), 'counts neither as up nor as down'),
        figure(
          'Incidents',
          String(instance.episodes.length),
          `${instance.episodes.length - resolved.length} still open`,
        ),
        figure('Median duration', median === undefined ? '–' : formatSpan(median)),
      ],
    },
    {
      kind: 'table',
      table: {
        caption: 'Incidents, newest first',
        columns: [
          { title: 'Began', align: 'left' },
          { title: 'Lasted', align: 'right' },
          { title: 'Severity', align: 'left' },
          { title: 'What', align: 'left' },
        ],
        rows: newestFirst(instance.episodes)
          .slice(0, longestList)
          .map((episode) => [
            cell(formatMoment(episode.opened, timezone)),
            cell(episode.closed === null ? 'open' : formatSpan(episode.closed - episode.opened)),
            cell(episode.severity, toneOf[episode.severity]),
            cell(episode.summary),
          ]),
        empty: 'None in this span.',
      },
    },
    ...(instance.episodes.length > longestList
      ? [
          {
            kind: 'text' as const,
            tone: 'none' as const,
            text: `and ${plural(instance.episodes.length - longestList, 'older one', 'older ones')}: redis-agent alerts history`,
          },
        ]
      : []),
  ];
}

const longestList = 25;

function newestFirst(episodes: readonly EpisodeFacts[]): EpisodeFacts[] {
  return episodes.toSorted((a, b) => b.opened - a.opened);
}
