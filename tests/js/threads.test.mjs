/**
 * Many threads at once, the whole of the memory, and the example.
 *
 * WALLOC_SEED repeats the choices of a run.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WallocOutOfMemory } from '../../workers/walloc.js';
import { Helper, MIB, createFor, throwsError } from './support.mjs';

test('blocks of one generation never overlap, whatever is reset meanwhile', async (t) => {
  const seed = Number(process.env.WALLOC_SEED ?? Date.now() % 2 ** 32);
  t.diagnostic(`WALLOC_SEED=${seed}`);
  const walloc = await createFor(t, { maximum: 256 * MIB });
  const helpers = Array.from({ length: 4 }, () => new Helper(walloc.handle));
  const racing = Promise.all(
    helpers.map((helper, i) =>
      helper.call('race', { tier: 'render', count: 20_000, seed: seed + i }),
    ),
  );
  let resets = 0;
  let running = true;
  const ended = racing.finally(() => (running = false));
  while (running) {
    for (let i = 0; i < 100; i++, resets++) {
      if (i % 3 === 0) walloc.render.reset();
      else walloc.render.rewind(walloc.render.mark());
    }
    await new Promise(setImmediate);
  }
  const blocks = (await ended).flat();
  assert.ok(blocks.length === 80_000 && resets > 100);
  // By generation, then by address.
  blocks.sort(([a, x], [b, y]) => (a >>> 8) - (b >>> 8) || x - y);
  for (let i = 1; i < blocks.length; i++) {
    const [high, address, size] = blocks[i - 1];
    if (high >>> 8 !== blocks[i][0] >>> 8) continue;
    assert.ok(
      address + size <= blocks[i][1],
      `seed ${seed}: ${address} and ${blocks[i][1]} overlap`,
    );
  }
  await Promise.all(helpers.map((helper) => helper.end()));
});

test('memory reaches above 3.9 GiB, and every block there can be used', async (t) => {
  const walloc = await createFor(t, { maximum: 2 ** 32, reserve: 16 * MIB });
  const { scene } = walloc;
  let top = 0;
  let high = 0;
  const fill = () => {
    for (;;) {
      const view = scene.alloc(Float64Array, 2 * MIB); // 16 MiB
      assert.ok(view.address > 0);
      view.set(0, view.address);
      view.set(view.length - 1, -view.address);
      assert.equal(view.get(0), view.address);
      assert.equal(view.get(view.length - 1), -view.address);
      top = Math.max(top, view.address + view.byteLength);
      if (view.address >= 2 ** 31) high++;
    }
  };
  throwsError(fill, WallocOutOfMemory, 'OUT_OF_MEMORY', /raise maximum|reset/);
  assert.ok(top > 3.9 * 2 ** 30, `${top}`);
  assert.ok(top <= 2 ** 32 - 65536);
  assert.ok(high > 100);
  assert.ok(scene.used > 3.9 * 2 ** 30);
  // Another thread reads what lies beyond 2 GiB.
  walloc.entity.reset();
  const last = scene.stats();
  assert.ok(last.capacity > 3.9 * 2 ** 30);
  scene.reset();
  const reused = scene.alloc(Uint32Array, 100);
  reused.array.fill(1);
  const helper = new Helper(walloc.handle);
  assert.equal(await helper.call('sum', reused.ref), 100);
  await helper.end();
});

test('a block beyond 2 GiB goes to another thread', async (t) => {
  const walloc = await createFor(t, { maximum: 2 ** 32 });
  walloc.scene.allocBytes(2 ** 31 + 2 ** 29);
  const helper = new Helper(walloc.handle);
  const ref = await helper.call('fill', { tier: 'render', length: 1 << 20, value: 3 });
  assert.ok(ref.address > 2 ** 31, `${ref.address}`);
  const view = walloc.view(ref);
  assert.equal(view.get(view.length - 1), 3);
  view.set(0, 4);
  assert.equal(await helper.call('sum', ref), 3 * (1 << 20) + 1);
  await helper.end();
});

test('the first example does what it says', () => {
  const path = fileURLToPath(new URL('../../examples/javascript/first.mjs', import.meta.url));
  assert.equal(
    execFileSync(process.execPath, [path], { encoding: 'utf8' }),
    'worker wrote 300 numbers, the last is 149.5\ncamera is valid: 1.5\nvertices: STALE\n',
  );
});
