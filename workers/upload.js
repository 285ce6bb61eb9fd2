/**
 * Handing blocks to the GPU: exactly the bytes of a view, from the shared memory, without a copy of ours. WebGL2 and
 * WebGPU take shared memory; WebGL1 does in no browser reliably.
 *
 *     upload(gl, view, { target: gl.ARRAY_BUFFER, usage: gl.STATIC_DRAW });     // the bound buffer's new contents
 *     upload(gl, view, { target: gl.ARRAY_BUFFER, offset: 4096 });              // a part of the bound buffer
 *     upload(device, view, { buffer, offset: 4096 });                           // GPUDevice: a part of a buffer
 *
 * The call has copied the bytes when it returns: the block may be thrown away then. For a part of a block pass
 * view.subview(begin, end).
 */
import { WallocError, WallocRangeError } from './api/errors.js';

/** What WebGPU asks of offsets and sizes. */
const GPU_ALIGNMENT = 4;

/**
 * @typedef {object} GpuDevice a GPUDevice
 * @property {{ writeBuffer: (buffer: any, offset: number, data: ArrayBufferLike, from: number, size: number) => void }} queue
 */

/**
 * Throws WallocStaleView; WallocRangeError: SIZE for a GPUDevice where offset or size are no multiples of 4;
 * WallocError: TYPE for what is neither.
 *
 * @param {WebGL2RenderingContext | GpuDevice} to
 * @param {import('./api/views.js').AnyView} view
 * @param {object} options
 * @param {number} [options.target] WebGL: where the buffer is bound
 * @param {number} [options.usage] WebGL: makes the buffer as large as the view
 * @param {unknown} [options.buffer] WebGPU: a GPUBuffer
 * @param {number} [options.offset] in the buffer, in bytes. Default 0
 */
export function upload(to, view, { target = 0, usage, buffer, offset = 0 }) {
  const { array } = view; // throws when stale
  if ('bufferData' in to) {
    if (usage === undefined) to.bufferSubData(target, offset, array);
    else to.bufferData(target, array, usage);
  } else if (buffer && to?.queue) {
    if (offset % GPU_ALIGNMENT || array.byteLength % GPU_ALIGNMENT) {
      throw new WallocRangeError(
        'SIZE',
        `WebGPU writes multiples of 4 bytes, not ${array.byteLength} at ${offset}: pad the block.`,
      );
    }
    to.queue.writeBuffer(buffer, offset, array.buffer, array.byteOffset, array.byteLength);
  } else {
    throw new WallocError(
      'TYPE',
      'upload wants a WebGL2 context, or a GPUDevice and a buffer of it.',
    );
  }
}
