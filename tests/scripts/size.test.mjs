/**
 * walloc.wasm stays as light as it promises, and is compiled in the way that its sources rely on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT, run } from '../../scripts/run.mjs';
import { measureSizes } from '../../scripts/size.mjs';
import { setUpEmscripten } from '../../scripts/setup/emscripten.mjs';

test('module, JavaScript and start-up memory are within their limits', async () => {
  const sizes = await measureSizes();
  assert.equal(sizes.length, 4);
  for (const { name, value, limit } of sizes) {
    assert.ok(value > 0 && value <= limit, `${name}: ${value} of at most ${limit}`);
  }
});

test('what waits does nothing else: platform_attached.c says why', async () => {
  const emscripten = process.env.WALLOC_EMSCRIPTEN ?? (await setUpEmscripten());
  const config = await run(`${emscripten}/em-config`, ['BINARYEN_ROOT']);
  const disassemble = `${config.output.trim()}/bin/wasm-dis`;
  const { output } = await run(disassemble, [`${ROOT}workers/walloc.wasm`]);
  const start = output.match(/^ \(start (\S+)\)/m)?.[1]; // the linker's: one waits while another fills the memory
  const waits = output
    .split(/^ \(func /m)
    .slice(1)
    .filter((text) => text.includes('memory.atomic.wait32') && text.match(/^\S+/)?.[0] !== start);
  assert.equal(waits.length, 2);
  for (const text of waits) {
    assert.doesNotMatch(text, /\((call|loop|global\.set|i32\.store)/, text.slice(0, 60));
  }
});
