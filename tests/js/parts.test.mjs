/**
 * The optional parts of the package that need no browser: layouts, copies, uploads.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blob, copyOf, decodeText, encodeText, fillRandom } from '../../workers/copies.js';
import { interleaved, structOfArrays } from '../../workers/layouts.js';
import { upload } from '../../workers/upload.js';
import { WallocError, WallocRangeError, WallocStaleView } from '../../workers/walloc.js';
import { createFor, throwsError } from './support.mjs';

/** @type {{ position: [Float32ArrayConstructor, number], color: [Uint8ArrayConstructor, number, 'normalized'], id: Uint16ArrayConstructor }} */
const FIELDS = {
  position: [Float32Array, 3],
  color: [Uint8Array, 3, 'normalized'],
  id: Uint16Array,
};

test('a struct of arrays is one block, and goes stale as one', async (t) => {
  const walloc = await createFor(t);
  const layout = structOfArrays(FIELDS);
  for (const home of [walloc.scene, walloc.heap]) {
    const block = layout.alloc(home, 5);
    assert.deepEqual(
      [block.position.length, block.color.length, block.id.length, block.count],
      [15, 15, 5, 5],
    );
    block.position.array.fill(1.5);
    block.color.array.fill(2);
    block.id.array.fill(3);
    const { view } = block;
    for (const name of /** @type {const} */ (['position', 'color', 'id'])) {
      assert.equal(block[name].address % 16, 0);
      assert.ok(block[name].address >= view.address);
      assert.ok(block[name].address + block[name].byteLength <= view.address + view.byteLength);
    }
    const other = layout.over(walloc.view(view.ref), 5);
    assert.deepEqual([other.position.get(14), other.color.get(14), other.id.get(4)], [1.5, 2, 3]);
    throwsError(() => layout.over(view, 6), WallocRangeError, 'SIZE', /bytes of the view/);
    walloc.reset();
    for (const stale of [other.position, block.id]) {
      throwsError(() => stale.get(0), WallocStaleView, 'STALE');
    }
  }
  const wrong = () => structOfArrays({ id: /** @type {any} */ (Array) });
  throwsError(wrong, WallocError, 'TYPE', /Field id/);
});

test('interleaved vertices are where the GPU is told that they are', async (t) => {
  const walloc = await createFor(t);
  const vertices = interleaved(FIELDS);
  assert.equal(vertices.stride, 20);
  assert.deepEqual(vertices.attributes.position.pointer, [3, 0x1406, false, 20, 0]);
  assert.deepEqual(vertices.attributes.color.pointer, [3, 0x1401, true, 20, 12]);
  assert.deepEqual(vertices.gpu, {
    arrayStride: 20,
    attributes: [
      { shaderLocation: 0, offset: 0, format: 'float32x3' },
      { shaderLocation: 1, offset: 12, format: 'unorm8x4' },
      { shaderLocation: 2, offset: 16, format: 'uint16' },
    ],
  });
  const block = vertices.alloc(walloc.render, 4);
  block.view.array.fill(0);
  block.position.set(3, 1, 2, 3);
  block.color.set(3, 7, 8, 9);
  block.id.set(3, 513);
  const bytes = new DataView(copyOf(block.view).buffer);
  assert.deepEqual(
    [60, 64, 68].map((at) => bytes.getFloat32(at, true)),
    [1, 2, 3],
  );
  assert.deepEqual(
    [72, 73, 74, 75].map((at) => bytes.getUint8(at)),
    [7, 8, 9, 0],
  );
  assert.equal(bytes.getUint16(76, true), 513);
  assert.equal(block.color.get(3, 2), 9);
  for (const [vertex, component] of [
    [4, 0],
    [-1, 0],
    [0.5, 0],
    [0, 3],
  ]) {
    throwsError(() => block.position.get(vertex, component), WallocRangeError, 'INDEX');
  }
  throwsError(() => block.position.set(0, 1, 2, 3, 4), WallocRangeError, 'INDEX');
  walloc.render.reset();
  throwsError(() => block.id.get(0), WallocStaleView, 'STALE');
});

test('texts, random bytes and blobs are copies', async (t) => {
  const walloc = await createFor(t);
  for (const text of ['', 'a', 'grüße, 世界 🌍'.repeat(1000)]) {
    for (const home of [walloc.scene, walloc.heap]) {
      const view = encodeText(home, text);
      assert.equal(decodeText(view), text);
      assert.equal(view.length, Buffer.byteLength(text));
    }
  }
  const view = walloc.scene.alloc(Uint32Array, 50_001);
  view.array.fill(0);
  fillRandom(view.subview(1, 50_000));
  assert.deepEqual([view.get(0), view.get(50_000)], [0, 0]);
  const zeros = view.array.filter((word) => word === 0).length;
  assert.ok(zeros < 10, `${zeros} zeros`);
  const sent = blob(view.subview(0, 2), { type: 'application/x-mesh' });
  assert.equal(sent.type, 'application/x-mesh');
  const received = new Uint32Array(await sent.arrayBuffer());
  assert.deepEqual([...received], [0, view.get(1)]);
});

test('an upload hands over the exact range', async (t) => {
  const walloc = await createFor(t);
  /** @type {unknown[][]} */
  const calls = [];
  const record = (/** @type {unknown[]} */ ...call) => void calls.push(call);
  const gl = /** @type {any} */ ({ bufferData: record, bufferSubData: record });
  const device = { queue: { writeBuffer: record } };
  const part = walloc.render.alloc(Float32Array, 100).subview(10, 20);
  upload(gl, part, { target: 1, usage: 2 });
  upload(gl, part, { target: 1, offset: 64 });
  upload(device, part, { buffer: 'buffer', offset: 8 });
  const { array } = part;
  assert.deepEqual(calls, [
    [1, array, 2],
    [1, 64, array],
    ['buffer', 8, array.buffer, part.address, 40],
  ]);
  const odd = walloc.render.allocBytes(3);
  const buffer = {};
  throwsError(() => upload(device, odd, { buffer }), WallocRangeError, 'SIZE', /multiples of 4/);
  throwsError(() => upload(/** @type {any} */ ({}), odd, {}), WallocError, 'TYPE');
  walloc.render.reset();
  throwsError(() => upload(gl, part, { target: 1, usage: 2 }), WallocStaleView, 'STALE');
  assert.equal(calls.length, 3);
});
