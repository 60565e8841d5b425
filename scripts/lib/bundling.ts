import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';

/** How everything that is shipped is bundled, and what the benches measure. */
export const bundling = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  alias: { 'string-width': join(import.meta.dirname, 'plain-width.ts') },
  // Names stay, so that a stack trace can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  // CommonJS packages call require() for Node's own modules.
  banner: {
    js: "import{createRequire as agentRequire_}from'node:module';const require=agentRequire_(import.meta.url);",
  },
  logLevel: 'warning',
} satisfies BuildOptions;
