/**
 * The pages: served while developing (`vite`), built into build/www, and served from there
 * (`vite preview`).
 *
 * Browsers share memory only on cross-origin isolated pages, so both servers send the two headers that
 * isolate. What is built also runs from a host that does not: there a service worker adds the headers.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { DEMOS, putIntoFrame } from './scripts/frame.mjs';

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

const pages = ['index', 'source', ...DEMOS.map(({ page }) => page)];

const WORKER = 'coi-serviceworker.js';

/** Puts the service worker beside the pages, and has each of them register it where it is needed. */
const isolateByServiceWorker = () => ({
  name: 'isolate-by-service-worker',
  apply: /** @type {const} */ ('build'),
  transformIndexHtml: () => [
    {
      tag: 'script',
      attrs: { src: `./${WORKER}` },
      injectTo: /** @type {const} */ ('head-prepend'),
    },
  ],
  /** @this {import('vite').Rolldown.PluginContext} */
  generateBundle() {
    const file = createRequire(import.meta.url).resolve(`coi-serviceworker/${WORKER}`);
    this.emitFile({ type: 'asset', fileName: WORKER, source: readFileSync(file) });
  },
});

export default defineConfig({
  root: 'www',
  base: './',
  cacheDir: '../build/vite',
  server: { headers: isolation, fs: { allow: ['..'] } },
  preview: { headers: isolation },
  plugins: [putIntoFrame(), isolateByServiceWorker()],
  worker: { format: 'es' },
  build: {
    outDir: '../build/www',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      input: pages.map((page) => fileURLToPath(new URL(`www/${page}.html`, import.meta.url))),
    },
  },
});
