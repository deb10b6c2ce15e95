// Writes docs/policy.schema.json anew from the code: node scripts/policy-schema.mjs
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['src/policy/schema.ts'],
  bundle: true,
  format: 'esm',
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { publishedSchema } = await import(`data:text/javascript;base64,${code}`);
writeFileSync(join(root, 'docs/policy.schema.json'), `${JSON.stringify(publishedSchema(), null, 2)}\n`);
