/** From documentation, templates and lists of what is tried first. */
const known = new Set(
  'foobared changeme change_me changeit password passw0rd p@ssw0rd secret redis redispass redispassword redis123 admin root 123456 12345678 123456789 qwerty letmein test example yourpassword your_password yourpasswordhere mypassword mysecretpassword supersecret verysecret strongpassword sekret default null none todo xxx xxxx'.split(
    ' ',
  ),
);

const templates: readonly (readonly [RegExp, string])[] = [
  [/^\$\{[^}]*\}$|\$\{\w+\}/, '${…}'],
  [/^\$\w+$/, '$…'],
  [/\$\([^)]*\)/, '$(…)'],
  [/\{\{.*\}\}/, '{{…}}'],
  [/^__\w+__$/, '__…__'],
  [/^<[^>]+>$/, '<…>'],
  [/^%\w+%$/, '%…%'],
];

/** Why a secret is none, without the secret itself; undefined where nothing is known against it. */
export function holdsPlaceholder(word: string, user: string | undefined): string | undefined {
  if (word === '') return undefined;
  const template = templates.find(([pattern]) => pattern.test(word))?.[1];
  if (template !== undefined) return `the text ${template} itself: nobody has put the secret in`;
  const lower = word.toLowerCase();
  if (known.has(lower)) return 'one of the words that are tried first';
  if (user !== undefined && lower === user.toLowerCase()) return 'the name of the user';
  if (word.length < 8) return `only ${word.length} characters long: Redis takes some 100 000 tries a second`;
  return undefined;
}
