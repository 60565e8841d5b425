/**
 * contents.ts INPUTS NODE-PACKAGE FOLDER EPOCH: writes FOLDER/sbom.cdx.json, a CycloneDX list of what the package holds, and
 * FOLDER/licences.txt, the licences of it. INPUTS is the list that scripts/build has written.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const [inputs = '', nodePackage = '', folder = '', epoch = '0'] = process.argv.slice(2);

interface Component {
  name: string;
  version: string;
  licence: string;
  path: string;
  author: string;
}

/** `node_modules/@scope/name` of a file in it, the innermost one. */
function packageOf(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

function read(path: string): Component {
  const { name, version, license, author } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  return {
    name,
    version,
    licence: String(license ?? 'unknown'),
    path,
    author: typeof author === 'string' ? author : String(author?.name ?? ''),
  };
}

const used: string[] = JSON.parse(readFileSync(inputs, 'utf8'));
const folders = [...new Set(used.flatMap((path) => packageOf(path) ?? []))].toSorted();
const libraries = folders.map((path) => read(join(root, path)));
const node = { ...read(nodePackage), name: 'node', licence: 'MIT' };
const own = read(root);

const purl = ({ name, version }: Component): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;
const listed = libraries.map((each) => ({
  type: 'library',
  'bom-ref': purl(each),
  name: each.name,
  version: each.version,
  licenses: [/[ (]/.test(each.licence) ? { expression: each.licence } : { license: { id: each.licence } }],
  purl: purl(each),
}));
const body = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: {
    timestamp: new Date(Number(epoch) * 1000).toISOString(),
    component: {
      type: 'application',
      'bom-ref': purl(own),
      name: own.name,
      version: own.version,
      licenses: [{ license: { id: own.licence } }],
      purl: purl(own),
    },
  },
  components: [
    {
      type: 'platform',
      'bom-ref': `pkg:generic/node@${node.version}`,
      name: 'node',
      version: node.version,
      licenses: [{ license: { id: 'MIT' } }],
      purl: `pkg:generic/node@${node.version}`,
    },
    ...listed,
  ],
  dependencies: [
    {
      ref: purl(own),
      dependsOn: [`pkg:generic/node@${node.version}`, ...listed.map((each) => each['bom-ref'])],
    },
  ],
};
// The same content has the same number.
const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex');
const uuid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
writeFileSync(
  join(folder, 'sbom.cdx.json'),
  `${JSON.stringify({ ...body, serialNumber: `urn:uuid:${uuid}` }, undefined, 2)}\n`,
);

/** The text that comes with it; some packages name their licence only. */
function licenceText({ path, licence, author }: Component): string {
  const name = readdirSync(path).find((file) => /^(?:licen[cs]e|copying)(?:\.|-|$)/i.test(file));
  if (name === undefined)
    return `${licence}${author === '' ? '' : `, by ${author}`}; the package brings no text of it.\n`;
  return readFileSync(join(path, name), 'utf8').trimEnd();
}

const line = '='.repeat(78);
const notices = ['NOTICE', 'NOTICE.txt'];
const texts = [node, ...libraries].map((each) => {
  const notice = notices.map((name) => join(each.path, name)).find((path) => existsSync(path));
  const more = notice === undefined ? '' : `\n\n${readFileSync(notice, 'utf8').trimEnd()}`;
  return `${line}\n${each.name} ${each.version} (${each.licence})\n${line}\n${licenceText(each)}${more}\n`;
});
writeFileSync(
  join(folder, 'licences.txt'),
  `redis-agent holds the following works of others, under these licences.\n\n${texts.join('\n')}\n${line}\nnotify-exec\n${line}\nIs part of redis-agent; linked with the C library of its build host (glibc, LGPL-2.1-or-later). Its source, with the\ncommand that builds it, lies beside this file: notify-exec.c.\n`,
);
console.log(`${libraries.length} packages and Node ${node.version}`);
