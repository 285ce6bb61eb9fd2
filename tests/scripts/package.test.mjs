/**
 * The npm package: what is in it, what its exports and types say, and that it runs where it is installed.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { ROOT, run } from '../../scripts/run.mjs';
import { freshProgram } from '../package/pack.mjs';

/** @type {Awaited<ReturnType<typeof freshProgram>>} */
let program;
const { exports: entries } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));

before(async () => {
  program = await freshProgram('consumer', 'tests/package/consumer');
});

test('the package has what it needs, and nothing else', () => {
  const { files } = program;
  const expected =
    /^(workers\/[\w/]+\.js|workers\/map\/cli\.mjs|workers\/walloc\.wasm|types\/[\w/]+\.d\.ts|\w+\.md|LICENSE|package\.json)$/;
  assert.deepEqual(
    files.filter((path) => !expected.test(path)),
    [],
  );
  for (const path of ['workers/walloc.wasm', 'workers/walloc.js', 'types/walloc.d.ts', 'LICENSE']) {
    assert.ok(files.includes(path), path);
  }
});

test('each entry point names its types first, and both are there', () => {
  for (const entry of Object.values(entries)) {
    const paths = typeof entry === 'string' ? [entry] : Object.values(entry);
    if (typeof entry !== 'string') assert.deepEqual(Object.keys(entry), ['types', 'default']);
    for (const path of paths) {
      const file = `${program.folder}/node_modules/@walloc/walloc/${path}`;
      assert.ok(existsSync(file), path);
    }
  }
});

test('an installed package runs, each entry point', async () => {
  const names = Object.keys(entries).filter((name) => typeof entries[name] !== 'string');
  const imports = names.map((name) => `await import('@walloc/walloc${name.slice(1)}');`);
  writeFileSync(
    `${program.folder}/run.mjs`,
    `import { Walloc } from '@walloc/walloc';
    ${imports.join('\n')}
    const walloc = await Walloc.create({ maximum: 64 << 20 });
    console.log(walloc.mode, walloc.render.alloc(Float32Array, 3).length);`,
  );
  const { output } = await run('node', ['run.mjs'], { cwd: program.folder });
  assert.equal(output.trim(), 'shared 3');
});

test('publint has nothing to say', async () => {
  const { publint } = await import('publint');
  const { formatMessage } = await import('publint/utils');
  const { messages, pkg } = await publint({
    pkgDir: `${program.folder}/node_modules/@walloc/walloc`,
    strict: true,
  });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, /** @type {any} */ (pkg))),
    [],
  );
});

test('are the types wrong? no', async () => {
  const file = `${program.folder}/walloc-walloc-${JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')).version}.tgz`;
  const options = [
    '--profile',
    'esm-only',
    '--exclude-entrypoints',
    './walloc.wasm',
    '--format',
    'ascii',
  ];
  await run('npx', ['attw', file, '--no-emoji', ...options]);
});

test('programs compile against the types, and wrong ones do not', async () => {
  const { output, status } = await run('npx', ['tsc', '--pretty', 'false', '-p', program.folder], {
    mayFail: true,
  });
  assert.equal(output, '');
  assert.equal(status, 0);
});
