// Two threads fill a frame out of the render tier; the frame is thrown away in one step.
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'; // or a Web Worker
import { Walloc } from '../../workers/walloc.js';

if (isMainThread) {
  const walloc = await Walloc.create({ maximum: 256 << 20 });
  const camera = walloc.render.alloc(Float32Array, 16);
  camera.set(0, 1.5);
  const preserved = walloc.render.used;

  const worker = new Worker(new URL(import.meta.url), { workerData: walloc.handle });
  worker.on('message', (ref) => {
    const vertices = walloc.view(ref); // the worker's block itself, not a copy
    console.log(`worker wrote ${vertices.length} numbers, the last is ${vertices.get(299)}`);

    walloc.render.compact(preserved); // or reset(), for all of it
    console.log(`camera is ${camera.valid ? 'valid' : 'stale'}: ${camera.get(0)}`);
    try {
      vertices.get(0);
    } catch (error) {
      console.log(`vertices: ${error.code}`);
    }
    worker.postMessage('done');
  });
} else {
  const walloc = await Walloc.attach(workerData);
  const vertices = walloc.render.alloc(Float32Array, 300);
  for (let i = 0; i < vertices.length; i++) vertices.set(i, i / 2);
  parentPort.postMessage(vertices.ref);
  parentPort.once('message', () => walloc.detach());
}
