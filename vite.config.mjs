/**
 * The pages: served while developing (`vite`), built into build/www, and served from there
 * (`vite preview`).
 *
 * Browsers share memory only on cross-origin isolated pages, so both servers send the two headers that
 * isolate. A page served elsewhere needs them too.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

const pages = ['index.html', 'stress.html', 'memory.html'];

export default defineConfig({
  root: 'www',
  base: './',
  cacheDir: '../build/vite',
  server: { headers: isolation, fs: { allow: ['..'] } },
  preview: { headers: isolation },
  worker: { format: 'es' },
  build: {
    outDir: '../build/www',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      input: pages.map((page) => fileURLToPath(new URL(`www/${page}`, import.meta.url))),
    },
  },
});
