/**
 * worker.js in one file, so that a storm's workers start fast: build/storms/worker.mjs.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

/** From the root of the checkout. */
export const BUNDLE = 'build/storms/worker.mjs';

export const bundleWorker = () =>
  build({
    entryPoints: [WORKER],
    outfile: fileURLToPath(new URL(`../../${BUNDLE}`, import.meta.url)),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
