import { verificationLevels, type Verification, type VerificationLevel } from '../domain/backup.ts';

/** A verification as its object's name tells it, so that a listing needs no further reads. */
export interface VerificationMark {
  name: string;
  /** Milliseconds. */
  at: number;
  level: VerificationLevel;
  ok: boolean;
}

/** `verify-20261121T060000123Z-loaded-ok.json` */
export function markName({ at, level, ok }: Verification): string {
  return `verify-${at.replaceAll(/[-:.]/g, '')}-${level}-${ok ? 'ok' : 'failed'}.json`;
}

const mark = /^verify-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([a-z]+)-(ok|failed)\.json$/;

/** undefined when it is no such name. */
export function parseMark(name: string): VerificationMark | undefined {
  const [, year, month, day, hour, minute, second, millisecond, levelName, verdict] = mark.exec(name) ?? [];
  const level = verificationLevels.find((known) => known === levelName);
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  return level === undefined || Number.isNaN(at) ? undefined : { name, at, level, ok: verdict === 'ok' };
}
