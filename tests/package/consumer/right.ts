/** What must compile against the package's types. */
import { Walloc, WallocOutOfMemory, type View, type ViewOf } from '@walloc/walloc';
import type { Handle, WallocOptions } from '@walloc/walloc';
import { AssetTable, fetchInto } from '@walloc/walloc/assets';
import { decodeText, encodeText } from '@walloc/walloc/copies';
import { interleaved, structOfArrays } from '@walloc/walloc/layouts';
import { upload } from '@walloc/walloc/upload';

export async function right(gl: WebGL2RenderingContext): Promise<number> {
  const options: WallocOptions = { maximum: 1 << 28, tiers: { render: { lane: false } } };
  const walloc = await Walloc.create(options);
  const handle: Handle = walloc.handle;
  await Walloc.attach(handle);
  const mode: 'shared' | 'single' | 'linked' = walloc.mode;
  const floats: ViewOf<Float32ArrayConstructor> = walloc.render.alloc(Float32Array, 8);
  const array: Float32Array = floats.array;
  const long: bigint = walloc.heap.alloc(BigInt64Array, 1).get(0);
  const view: View<Float32Array> = floats.subview(1);
  const text: string = decodeText(encodeText(walloc.scene, mode));
  const block = interleaved({ position: [Float32Array, 3] }).alloc(walloc.render, 3);
  block.position.set(0, 1, 2, 3);
  const arrays = structOfArrays({ id: Uint32Array }).alloc(walloc.scene, 3);
  upload(gl, arrays.id, { target: gl.ARRAY_BUFFER, usage: gl.STATIC_DRAW });
  const table = AssetTable.create(walloc, { capacity: 8 });
  const mesh = await table.load('mesh.bin', { signal: AbortSignal.timeout(1000) });
  const { byteLength } = await fetchInto(walloc.scene, text);
  try {
    walloc.reset();
  } catch (error) {
    if (error instanceof WallocOutOfMemory) return error.code.length;
  }
  return array.length + view.length + Number(long) + mesh.get(0) + byteLength;
}
