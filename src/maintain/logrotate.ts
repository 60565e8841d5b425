/** Does one of these logrotate configurations name that file? Globs of a path's last part count; `include` does not. */
export function isRotated(path: string, configurations: readonly string[]): boolean {
  return configurations.some((text) =>
    text
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim())
      .filter((line) => line.startsWith('/') || line.startsWith('"/'))
      .flatMap((line) => line.replace(/\{.*$/, '').split(/\s+/))
      .map((word) => word.replaceAll('"', ''))
      .filter((word) => word !== '')
      .some((pattern) => matches(pattern, path)),
  );
}

function matches(pattern: string, path: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${expression}$`).test(path);
}
