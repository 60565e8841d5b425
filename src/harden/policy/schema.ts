import * as z from 'zod';
import { holdsSecret } from '../../formats/conf/fault.ts';

/** What stands elsewhere, or names what a policy must never set. */
const elsewhere = new Set([
  'include',
  'loadmodule',
  'replicaof',
  'slaveof',
  'dir',
  'dbfilename',
  'appendfilename',
  'appenddirname',
  'cluster-enabled',
  'cluster-config-file',
  'databases',
  'daemonize',
  'supervised',
  'pidfile',
]);

/** `yes` is text in YAML 1.2, and numbers may be written as such. */
const word = z
  .union([z.string(), z.number()], 'is no value: write text or a number')
  .transform(String)
  .refine(
    (text) => /^[\x20-\x7e]*$/.test(text) && !/["'\\#]/.test(text),
    'holds a quote, a # or no plain text',
  );

const bound = word.refine(
  (text) => /^\d+(?:%|[kmg]?b?)?$/i.test(text),
  'is no number, size or share such as 75%',
);

const wish = z.strictObject({
  value: z.union([word.transform((text) => [text]), z.array(word).min(1)]),
  accept: z
    .strictObject({
      any_of: z.array(word).optional(),
      at_least: bound.optional(),
      at_most: bound.optional(),
      named: z.boolean().optional(),
      limited: z.boolean().optional(),
    })
    .prefault({}),
  reason: z.string().min(1),
  source: z.string().min(1),
});

const directive = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'is no name of a directive; names are in lower case')
  .refine((name) => !holdsSecret(name), 'is a secret: a policy holds none')
  .refine(
    (name) => !elsewhere.has(name),
    'is not set by a policy: it says where data lies or what is loaded',
  );

/** A policy as its file has it. */
export const policyFile = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'is no name: small letters, digits and dashes'),
  extends: z.string().min(1).optional(),
  summary: z.string().min(1),
  directives: z.record(directive, wish.nullable()),
});
