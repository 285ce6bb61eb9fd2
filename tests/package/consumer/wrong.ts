/** What must not compile: each line that is expected to be an error and is none is one itself. */
import { Walloc, WallocError } from '@walloc/walloc';
import { structOfArrays } from '@walloc/walloc/layouts';
// @ts-expect-error not an entry point
import '@walloc/walloc/workers/api/thread.js';

export async function wrong(): Promise<void> {
  // @ts-expect-error a misspelt option
  await Walloc.create({ maximun: 1 });
  // @ts-expect-error a number in place of a strategy
  const walloc = await Walloc.create({ strategy: 2 });
  // @ts-expect-error a plain array is no element type
  walloc.render.alloc(Array, 3);
  const longs = walloc.scene.alloc(BigUint64Array, 3);
  // @ts-expect-error a number in place of a bigint
  longs.set(0, 1);
  // @ts-expect-error read only
  walloc.mode = 'single';
  // @ts-expect-error no such tier
  walloc.tier('texture');
  // @ts-expect-error handles are attached asynchronously
  Walloc.attach(walloc.handle).render;
  // @ts-expect-error no such field
  structOfArrays({ id: Uint32Array }).alloc(walloc.scene, 1).ids;
  // @ts-expect-error codes are texts
  if (new WallocError('X', 'x').code === 9) walloc.reset();
}
