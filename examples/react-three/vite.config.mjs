/**
 * Builds the app into build/examples/react-three, or serves it while developing:
 *
 *     npx vite examples/react-three
 *
 * A server must send the headers that isolate a page: only then do browsers share memory.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const root = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root,
  base: './',
  cacheDir: `${root}../../build/vite-react-three`,
  server: { headers: isolation, fs: { allow: [`${root}../..`] } },
  preview: { headers: isolation },
  worker: { format: 'es' },
  build: {
    outDir: `${root}../../build/examples/react-three`,
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1000,
  },
});
