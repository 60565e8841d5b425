import type { Secret } from '../domain/secret.ts';

const mask = '[secret]';

/** Shorter encoded forms would hit innocent text. */
const shortestForm = 6;

/**
 * `text` with every known secret replaced by `[secret]`: as it is, URL-encoded, inside a JSON string, in base64 or hex
 * (alone or inside something longer, such as a Basic authorization), and each line of a secret of several lines.
 */
export function redactText(text: string, secrets: readonly Secret[]): string {
  const forms = [...new Set(secrets.flatMap((secret) => formsOf(secret.reveal())))]
    // The longest first, so that no rest of a longer form stays behind a shorter one.
    .toSorted((a, b) => b.length - a.length);
  if (forms.length === 0) return text;
  // One pass: text that a replacement put there is not looked at again.
  return text.replace(new RegExp(forms.map((form) => escapePattern(form)).join('|'), 'g'), mask);
}

/** RegExp.escape, which the compiler does not know yet. */
function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function formsOf(value: string): string[] {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= shortestForm && !line.startsWith('#'));
  return [...new Set([value, ...lines])]
    .filter((each) => each !== '')
    .flatMap((each) => [each, ...encodedForms(each)]);
}

function encodedForms(value: string): string[] {
  const bytes = Buffer.from(value);
  const url = encodeURIComponent(bytes.toString());
  const forms = [
    url,
    url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    // application/x-www-form-urlencoded
    new URLSearchParams({ v: value }).toString().slice(2),
    JSON.stringify(value).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...[0, 1, 2].flatMap((shift) => base64At(bytes, shift)),
  ];
  return forms.filter((form) => form.length >= shortestForm);
}

/** The base64 letters that `bytes` alone decide when `shift` bytes (mod 3) stand before them in what is encoded. */
function base64At(bytes: Buffer, shift: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
  // Letters that share bits with what stands before or after are left out.
  const from = Math.ceil((shift * 8) / 6);
  const to = Math.floor((whole.length * 8) / 6);
  return [whole.toString('base64').slice(from, to), whole.toString('base64url').slice(from, to)];
}
