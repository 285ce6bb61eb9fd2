/**
 * worker.js in one file, so that a storm's workers start fast: build/storms/worker.mjs.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

/** From the root of the checkout. */
export const BUNDLE = 'build/storms/worker.mjs';

const OUTPUT = fileURLToPath(new URL(`../../${BUNDLE}`, import.meta.url));

/** Put in place whole: another storm may be starting workers from it, and one that found half of it would not start. */
export async function bundleWorker() {
  const { outputFiles } = await build({
    entryPoints: [WORKER],
    outfile: OUTPUT,
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  mkdirSync(dirname(OUTPUT), { recursive: true });
  const whole = `${OUTPUT}.${process.pid}`;
  writeFileSync(whole, outputFiles[0].contents);
  renameSync(whole, OUTPUT);
}
