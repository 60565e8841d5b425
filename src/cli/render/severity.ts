import type { Severity } from '../../domain/finding.ts';
import type { Style } from './style.ts';

/** How each severity is painted, everywhere. */
export function paintSeverity(style: Style, severity: Severity): (text: string) => string {
  if (severity === 'info') return style.faint;
  return severity === 'warning' ? style.warning : style.bad;
}
