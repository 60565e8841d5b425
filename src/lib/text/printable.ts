/**
 * Text from outside (key names, paths, error messages, manifests) made safe for a terminal and a log line: control
 * characters, escape sequences, bidirectional overrides and line breaks are shown as `\xNN` or `\u{NNNN}`.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
