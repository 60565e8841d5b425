import type { DrillRecord } from '../domain/drill.ts';

/** A drill as its object's name tells it, so that a listing needs no further reads. */
export interface DrillMark {
  name: string;
  /** Milliseconds. */
  at: number;
  ok: boolean;
}

/** `drill-20261121T040000123Z-ok.json` */
export function drillName({ at, ok }: Pick<DrillRecord, 'at' | 'ok'>): string {
  return `drill-${at.replaceAll(/[-:.]/g, '')}-${ok ? 'ok' : 'failed'}.json`;
}

const mark = /^drill-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-(ok|failed)\.json$/;

/** undefined when it is no such name. */
export function parseDrillMark(name: string): DrillMark | undefined {
  const [, year, month, day, hour, minute, second, millisecond, verdict] = mark.exec(name) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  return Number.isNaN(at) ? undefined : { name, at, ok: verdict === 'ok' };
}
