/**
 * Which files the next start loads: `rdb` dump.rdb (AOF off), `single` one appendonly.aof (AOF on, before 7.0), `multi` the
 * folder with a manifest (AOF on, 7.0 and newer).
 */
export type Authority = 'rdb' | 'single' | 'multi';

/** Names of data files, relative to the data directory. */
export interface Layout {
  authority: Authority;
  names: { dump: string; aofFile: string; aofDir: string };
}
