/**
 * Records described once, and read through views: as a struct of arrays, or interleaved as a GPU reads vertices.
 *
 *     const fields = { position: [Float32Array, 3], color: [Uint8Array, 4, 'normalized'], id: Uint32Array };
 *
 *     const particles = structOfArrays(fields);
 *     const block = particles.alloc(walloc.scene, 1000);
 *     block.position.set(3 * i, x);                             // a view of 3000 numbers
 *     worker.postMessage(block.view.ref);                       // there: particles.over(walloc.view(ref), 1000)
 *
 *     const vertices = interleaved(fields);
 *     const block = vertices.alloc(walloc.render, 1000);
 *     block.position.set(i, x, y, z);                           // one vertex
 *     gl.vertexAttribPointer(0, ...vertices.attributes.position.pointer);
 *
 * A block is one block of memory: `view` is all of its bytes, and each field goes stale with it. Layouts are plain
 * descriptions, the same on every thread that describes them so.
 */
import { isWord } from './api/check.js';
import { WallocError, WallocRangeError } from './api/errors.js';
import { viewClassOf } from './api/views.js';

/** @typedef {import('./api/views.js').ElementType} ElementType */
/** @typedef {ElementType | readonly [Type: ElementType, components: number, normalized?: 'normalized']} Field */

/** Where each array of a struct of arrays begins: a multiple of this, for vector loads. */
const ARRAY_ALIGNMENT = 16;

/** What WebGPU asks of a vertex: offsets and stride. */
const VERTEX_ALIGNMENT = 4;

/** GL's name and WebGPU's for a kind of number, as it is and normalized. @type {Record<string, any[]>} */
const KINDS = {
  Int8Array: [0x1400, 'sint8', 'snorm8'],
  Uint8Array: [0x1401, 'uint8', 'unorm8'],
  Int16Array: [0x1402, 'sint16', 'snorm16'],
  Uint16Array: [0x1403, 'uint16', 'unorm16'],
  Int32Array: [0x1404, 'sint32'],
  Uint32Array: [0x1405, 'uint32'],
  Float32Array: [0x1406, 'float32'],
  Float16Array: [0x140b, 'float16'],
};

/** @param {number} value @param {number} to */
const roundUp = (value, to) => Math.ceil(value / to) * to;

/**
 * @param {Record<string, Field>} fields
 * @returns {{ name: string, Type: ElementType, components: number, isNormalized: boolean }[]}
 */
function readFields(fields) {
  return Object.entries(fields).map(([name, field]) => {
    const [Type, components = 1, normalized] = Array.isArray(field) ? field : [field];
    if (!viewClassOf(Type) || !(Number.isInteger(components) && components > 0)) {
      throw new WallocError(
        'TYPE',
        `Field ${name} is neither an element type nor [type, components].`,
      );
    }
    return { name, Type, components, isNormalized: normalized === 'normalized' };
  });
}

/**
 * A part of a view's block as another element type; it goes stale with the block.
 *
 * @param {import('./api/views.js').AnyView} view
 * @param {ElementType} Type
 * @param {number} offset in bytes
 * @param {number} length in elements
 */
function part(view, Type, offset, length) {
  const { array, arena, _seen, _low, _high } = view; // array: throws when stale
  if (offset + length * Type.BYTES_PER_ELEMENT > array.byteLength) {
    throw new WallocRangeError(
      'SIZE',
      `The layout needs more than the ${array.byteLength} bytes of the view.`,
    );
  }
  const Class = /** @type {any} */ (viewClassOf(Type));
  const elements = new Type(array.buffer, array.byteOffset + offset, length);
  return new Class(arena, elements, _seen >>> 8, _low, _high);
}

/**
 * Each field in an array of its own, one after the other: for loops over few fields of many records.
 *
 * @template {Record<string, Field>} F
 * @param {F} fields
 */
export function structOfArrays(fields) {
  const known = readFields(fields);
  /** @param {number} count @param {(field: typeof known[0], offset: number) => void} [visit] */
  const bytesFor = (count, visit) =>
    known.reduce((offset, field) => {
      visit?.(field, offset);
      const bytes = count * field.components * field.Type.BYTES_PER_ELEMENT;
      return offset + roundUp(bytes, ARRAY_ALIGNMENT);
    }, 0);
  return {
    /** What so many records take. @param {number} count */
    bytes: (count) => bytesFor(count),

    /**
     * A new block, its contents whatever was there before. Throws as arena.alloc.
     *
     * @param {Pick<import('./api/arena.js').Arena, 'alloc'>} arena or frames, or a context
     * @param {number} count of records
     */
    alloc(arena, count) {
      return this.over(arena.alloc(Uint8Array, bytesFor(count), { align: ARRAY_ALIGNMENT }), count);
    },

    /**
     * The records in a block that is there: a view of bytes. Throws WallocRangeError: SIZE when it is too small,
     * WallocStaleView.
     *
     * @param {import('./api/views.js').AnyView} view
     * @param {number} count
     */
    over(view, count) {
      /** @type {Record<string, any>} */
      const arrays = { view, count };
      bytesFor(count, ({ name, Type, components }, offset) => {
        arrays[name] = part(view, Type, offset, count * components);
      });
      return /** @type {Record<keyof F, import('./api/views.js').AnyView> & Block} */ (arrays);
    },
  };
}

/** @typedef {{ view: import('./api/views.js').AnyView, count: number }} Block */

/**
 * How the GPU reads a field.
 *
 * @typedef {object} VertexAttribute
 * @property {[size: number, type: number, normalized: boolean, stride: number, offset: number]} pointer what
 *   gl.vertexAttribPointer takes behind the location
 * @property {{ shaderLocation: number, offset: number, format: string }} gpu a GPUVertexAttribute; locations count
 *   from 0 in the order of the fields
 */

/** One field of all vertices. */
export class Attribute {
  /**
   * @param {import('./api/views.js').AnyView} numbers the whole block
   * @param {number} first where vertex 0 has it, in elements
   * @param {number} step from vertex to vertex
   * @param {number} components
   */
  constructor(numbers, first, step, components) {
    /** The whole block in this type, for hot loops: `numbers.array[first + vertex * step + component]`. */
    this.numbers = numbers;
    this.first = first;
    this.step = step;
    this.components = components;
  }

  /**
   * Throws WallocRangeError: INDEX, WallocStaleView.
   *
   * @param {number} vertex
   * @param {number} [component]
   */
  get(vertex, component = 0) {
    return this.numbers.get(this.#at(vertex, component));
  }

  /**
   * Throws as get; RangeError for more values than components.
   *
   * @param {number} vertex
   * @param {number[]} values of its components, from the first on
   */
  set(vertex, ...values) {
    values.forEach((value, component) => this.numbers.set(this.#at(vertex, component), value));
  }

  /** @param {number} vertex @param {number} component */
  #at(vertex, component) {
    return isWord(vertex) && isWord(component) && component < this.components
      ? this.first + vertex * this.step + component
      : -1; // which the view refuses
  }
}

/**
 * All fields of a vertex together, as the GPU's vertex buffers have them. Fields and vertices begin at multiples of
 * 4 bytes.
 *
 * @template {Record<string, Field>} F
 * @param {F} fields of at most 4 components, of any element type of up to 32 bits
 */
export function interleaved(fields) {
  let stride = 0;
  const known = readFields(fields).map((field) => {
    const offset = stride;
    if (!KINDS[field.Type.name] || field.components > 4) {
      throw new WallocError('TYPE', `Field ${field.name} is nothing that a vertex can have.`);
    }
    const bytes = field.components * field.Type.BYTES_PER_ELEMENT;
    stride += roundUp(bytes, VERTEX_ALIGNMENT);
    return { ...field, offset };
  });
  const attributes = known.map(({ name, Type, components, isNormalized, offset }, location) => {
    const [gl, plain, normalized] = KINDS[Type.name];
    // WebGPU knows no three components of less than 32 bits; there is room for a fourth.
    const count = components === 3 && Type.BYTES_PER_ELEMENT < 4 ? 4 : components;
    const format = ((isNormalized && normalized) || plain) + (count > 1 ? `x${count}` : '');
    return /** @type {const} */ ([
      name,
      {
        pointer: [components, gl, isNormalized, stride, offset],
        gpu: { shaderLocation: location, offset, format },
      },
    ]);
  });
  return {
    /** Bytes from vertex to vertex. */
    stride,
    attributes: /** @type {Record<keyof F, VertexAttribute>} */ (
      /** @type {unknown} */ (Object.fromEntries(attributes))
    ),
    /** A GPUVertexBufferLayout. */
    gpu: { arrayStride: stride, attributes: attributes.map(([, { gpu }]) => gpu) },

    /**
     * A new block. Throws as arena.alloc.
     *
     * @param {Pick<import('./api/arena.js').Arena, 'alloc'>} arena or frames, or a context
     * @param {number} count of vertices
     */
    alloc(arena, count) {
      return this.over(arena.alloc(Uint8Array, count * stride), count);
    },

    /**
     * The vertices in a block that is there. Throws WallocRangeError: SIZE when it is too small, WallocStaleView.
     *
     * @param {import('./api/views.js').AnyView} view of bytes
     * @param {number} count
     */
    over(view, count) {
      /** @type {Record<string, any>} */
      const block = { view, count };
      for (const { name, Type, components, offset } of known) {
        const size = Type.BYTES_PER_ELEMENT;
        const numbers = part(view, Type, 0, (count * stride) / size);
        block[name] = new Attribute(numbers, offset / size, stride / size, components);
      }
      return /** @type {Record<keyof F, Attribute> & Block} */ (block);
    },
  };
}
