// Compiles src/ to dist/ file by file (no bundling, so that stack traces and the engine's process entry keep their paths).
// Types are checked by `npm run typecheck`; this step only strips them, which keeps `npm start` fast.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const entryPoints = readdirSync(path.join(root, 'src'), { recursive: true })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => path.join(root, 'src', file));

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
await build({
  entryPoints,
  outdir: path.join(root, 'dist'),
  outbase: path.join(root, 'src'),
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
});
