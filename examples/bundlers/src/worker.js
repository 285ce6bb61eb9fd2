/**
 * Adds up the numbers that it is sent the reference of.
 */
import { Walloc } from '@walloc/walloc';

onmessage = async ({ data: { handle, ref } }) => {
  const walloc = await Walloc.attach(handle);
  const { array } = walloc.view(ref);
  postMessage(array.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b));
  walloc.detach();
};
