/**
 * A thread that attaches with a handle it is sent, takes what the test says, and then does nothing any more.
 */
import { parentPort } from 'node:worker_threads';
import { Walloc } from '../../workers/walloc.js';

parentPort?.on('message', async ({ handle, queue, ending }) => {
  try {
    const walloc = await Walloc.attach(handle);
    const { threadNumber } = walloc;
    walloc.scene.pin();
    if (queue) walloc.queue(queue).publish(walloc.scene.alloc(Uint8Array, 1));
    const block = walloc.heap.malloc(100);
    if (ending === 'detach') walloc.detach();
    parentPort?.postMessage({ threadNumber, block });
    if (ending === 'exit') process.exit();
    if (ending === 'loop') for (;;);
  } catch (error) {
    parentPort?.postMessage({ code: /** @type {any} */ (error).code });
  }
});
