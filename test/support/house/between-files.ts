// Files of tests share a process: what is a secret in one of them is a word like any other in the next.
import { afterAll } from 'vitest';
import { knownSecrets } from '../agent/known-secrets.ts';

afterAll(() => knownSecrets.clear());
