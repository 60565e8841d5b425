import { describe, expect, test } from 'vitest';
import { chooseMethod, type Prospect } from '../../../../src/backup/restore/choose-method.ts';
import type { Guard } from '../../../../src/backup/restore/judge-guards.ts';
import { AgentError } from '../../../../src/domain/errors.ts';

const free: Prospect = { guards: [] };
const guarded = (name: Guard['name'], allowable: boolean): Prospect => ({
  guards: [{ name, allowable, why: `${name} stands`, instead: 'do something else' }],
});
const deciding = (name: Guard['name']): Prospect => ({
  guards: [{ name, allowable: true, decides: true, why: `${name} stands`, instead: 'do something else' }],
});
const problem: Prospect = { problem: new AgentError('redis', 'it does not answer') };

describe('the method of a restore', () => {
  test.each<[string, { files?: Prospect; live?: Prospect; halfPlaced?: boolean }, string, RegExp]>([
    ['live where both are possible', {}, 'live', /stops the server/],
    ['live where files are not', { files: problem }, 'live', /does not answer/],
    ['files where the server is down', { live: problem }, 'files', /does not answer/],
    [
      'files where live is out of the question',
      { live: guarded('replica', false) },
      'files',
      /replica stands/,
    ],
    ['live where one may insist on it', { live: guarded('sentinel', true) }, 'live', /stops the server/],
    [
      'files where live alone is in doubt',
      { live: deciding('unloaded') },
      'files',
      /--allow-unloaded insists/,
    ],
    ['live where that is insisted on', { live: deciding('selinux') }, 'live', /stops the server/],
    ['files where they lie half placed', { halfPlaced: true }, 'files', /brought to its end/],
  ])('%s', (_, given, method, why) => {
    const choice = chooseMethod({
      files: free,
      live: free,
      halfPlaced: false,
      allow: ['selinux'],
      ...given,
    });
    expect(choice).toEqual({
      method,
      why_not: { method: method === 'live' ? 'files' : 'live', why: expect.stringMatching(why) },
    });
  });
});
