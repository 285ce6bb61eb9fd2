/**
 * What walloc weighs, beside what it may weigh. Exits with a failure when it has become too heavy.
 *
 *     npm run size
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ROOT, Problem, isMain, script, step } from './run.mjs';
import { buildPreset } from './build.mjs';
import { setUpForPages } from './setup.mjs';

/** The aim is 24 KiB; what takes the room is in docs/javascript.md. */
const WASM_LIMIT = 31 * 1024;

/** The entry points of the package, besides walloc itself. */
const OPTIONAL = ['assets', 'copies', 'layouts', 'upload'];

/**
 * The bytes of JavaScript, as a program would ship it: one module, minified.
 *
 * @param {string[]} names of entry points
 * @returns {Promise<Uint8Array>}
 */
async function bundleJavaScript(names) {
  const { build } = await import('esbuild');
  const contents = names.map((name) => `export * from './workers/${name}.js';`).join('\n');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0].contents;
}

/**
 * Pages of 64 KiB that the module wants at first, from its import section.
 *
 * @param {Uint8Array<ArrayBuffer>} wasm
 */
async function startPages(wasm) {
  // The number is not in WebAssembly.Module.imports, but a memory that is smaller is refused.
  const module = await WebAssembly.compile(wasm);
  for (let initial = 1; ; initial++) {
    const memory = new WebAssembly.Memory({ initial, maximum: 65536, shared: true });
    try {
      await WebAssembly.instantiate(module, { env: { memory }, walloc: { pressure: () => 0 } });
      return initial;
    } catch (error) {
      if (!(error instanceof WebAssembly.LinkError)) throw error;
    }
  }
}

/** @returns {Promise<{ name: string, value: number, limit: number, unit: string, zipped?: number }[]>} */
export async function measureSizes() {
  const wasm = new Uint8Array(readFileSync(`${ROOT}workers/walloc.wasm`));
  const javascript = await bundleJavaScript(['walloc']);
  const all = await bundleJavaScript(['walloc', ...OPTIONAL]);
  return [
    {
      name: 'walloc.wasm',
      value: wasm.length,
      zipped: gzipSync(wasm).length,
      limit: WASM_LIMIT,
      unit: 'bytes',
    },
    {
      name: 'its JavaScript, minified, with gzip',
      value: gzipSync(javascript).length,
      limit: 10 * 1024,
      unit: 'bytes',
    },
    {
      name: 'the same with all optional parts',
      value: gzipSync(all).length,
      limit: 13 * 1024,
      unit: 'bytes',
    },
    {
      name: 'memory at the start, before the reserve',
      value: await startPages(wasm),
      limit: 6,
      unit: 'pages of 64 KiB',
    },
  ];
}

if (isMain(import.meta.url)) {
  script(async () => {
    await setUpForPages();
    await step('Building walloc.wasm', () => buildPreset('attached'));
    const sizes = await measureSizes();
    for (const { name, value, limit, unit, zipped } of sizes) {
      const wire = zipped ? `, ${zipped} with gzip` : '';
      console.log(`${name}: ${value} ${unit}${wire} (limit ${limit})`);
    }
    const over = sizes.filter(({ value, limit }) => value > limit).map(({ name }) => name);
    if (over.length) throw new Problem(`Too heavy: ${over.join(', ')}`);
  });
}
