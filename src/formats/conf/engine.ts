import type { Engine } from '../../domain/backup.ts';

/** A server that is not there to be asked: `redis-7.0`, `valkey-8.1.1`, `redis-7.2-docker`. */
export interface EngineVersion {
  engine: Engine;
  /** As far as it is known: `7.0`, `7.0.15`. */
  version: string;
  /** The official container image: it is built with protected-mode off. */
  docker: boolean;
}

/** Undefined when it names no engine. */
export function parseEngine(text: string): EngineVersion | undefined {
  const [, engine, version, docker] =
    /^(redis|valkey)-(\d{1,3}(?:\.\d{1,4}){0,2})(-docker)?$/.exec(text) ?? [];
  if ((engine !== 'redis' && engine !== 'valkey') || version === undefined) return undefined;
  return { engine, version, docker: docker !== undefined };
}

export function showEngine({ engine, version, docker }: EngineVersion): string {
  return `${engine}-${version}${docker ? '-docker' : ''}`;
}

/** Below zero where `a` is older. What one of them does not say counts as zero. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const apart = (left[at] ?? 0) - (right[at] ?? 0);
    if (apart !== 0) return apart;
  }
  return 0;
}

/** `7.0.15` is at least `7.0`. */
export function atLeastVersion(version: string, floor: string): boolean {
  return compareVersions(version, floor) >= 0;
}
