/**
 * The classes of views: all the same, but for the element types that each is for.
 *
 * One class for all would do, were it not for the engines: they collect the types of array that a piece
 * of source code meets, and when it has met more than four they stop making fast code for it. Then
 * get() takes 4 to 15 times as long. So there are six pieces of source, and none meets more than
 * three types; Float32Array and Float64Array have their own. A loop that makes the classes, or a base
 * class's get(), would be one piece of source again.
 */
import { View, makeReady } from './view.js';

/**
 * Whether an element must not be touched: the block is not in the generation it was last seen in, or the index is
 * not a whole number within it. The generation is all of the cursor's upper word but the last 8 bits: in this form
 * a loop over get() takes a quarter less than where the cursor is shifted. Outside of an array there is nothing: that
 * takes a sixth less than to look at the length too. See bench/javascript.mjs.
 *
 * @param {import('./arena.js').Arena} arena
 * @param {number} seen the generation, shifted as in the cursor
 * @param {number} index
 * @param {number | bigint | undefined} value what is there, read before the generation is
 */
const isOff = (arena, seen, index, value) =>
  (arena._cursor[0] & -256) !== seen || index >>> 0 !== index || value === undefined;

/** @extends {View<Int8Array | Uint8Array | Uint8ClampedArray>} */
class Bytes extends View {
  get(/** @type {number} */ index) {
    const value = this._array[index];
    if (isOff(this.arena, this._seen, index, value)) makeReady(this, index);
    return value;
  }
  set(/** @type {number} */ index, /** @type {number} */ value) {
    this.get(index);
    this._array[index] = value;
  }
}

/** With Float16Array where there is one. @extends {View<Int16Array | Uint16Array>} */
class Shorts extends View {
  get(/** @type {number} */ index) {
    const value = this._array[index];
    if (isOff(this.arena, this._seen, index, value)) makeReady(this, index);
    return value;
  }
  set(/** @type {number} */ index, /** @type {number} */ value) {
    this.get(index);
    this._array[index] = value;
  }
}

/** @extends {View<Int32Array | Uint32Array>} */
class Words extends View {
  get(/** @type {number} */ index) {
    const value = this._array[index];
    if (isOff(this.arena, this._seen, index, value)) makeReady(this, index);
    return value;
  }
  set(/** @type {number} */ index, /** @type {number} */ value) {
    this.get(index);
    this._array[index] = value;
  }
}

/** @extends {View<Float32Array>} */
class Floats extends View {
  get(/** @type {number} */ index) {
    const value = this._array[index];
    if (isOff(this.arena, this._seen, index, value)) makeReady(this, index);
    return value;
  }
  set(/** @type {number} */ index, /** @type {number} */ value) {
    this.get(index);
    this._array[index] = value;
  }
}

/** @extends {View<Float64Array>} */
class Doubles extends View {
  get(/** @type {number} */ index) {
    const value = this._array[index];
    if (isOff(this.arena, this._seen, index, value)) makeReady(this, index);
    return value;
  }
  set(/** @type {number} */ index, /** @type {number} */ value) {
    this.get(index);
    this._array[index] = value;
  }
}

/** @extends {View<BigInt64Array | BigUint64Array>} */
class Longs extends View {
  get(/** @type {number} */ index) {
    const value = this._array[index];
    if (isOff(this.arena, this._seen, index, value)) makeReady(this, index);
    return value;
  }
  set(/** @type {number} */ index, /** @type {bigint} */ value) {
    this.get(index);
    this._array[index] = value;
  }
}

/**
 * The constructor of a typed array.
 *
 * @typedef {{
 *   readonly name: string,
 *   readonly BYTES_PER_ELEMENT: number,
 *   new (buffer: ArrayBufferLike, byteOffset: number, length: number): any,
 *   readonly prototype: import('./view.js').TypedArray,
 * }} ElementType
 */

/**
 * The view on blocks of an element type.
 *
 * @template {ElementType} T
 * @typedef {View<T['prototype']> & import('./view.js').Accessors<T['prototype']>} ViewOf
 */

/**
 * The view of a block whose element type only the program knows.
 *
 * @typedef {View<any> & { get: (index: number) => any, set: (index: number, value: any) => void }} AnyView
 */

/** @type {Map<any, any>} */
const classes = new Map(
  /** @type {[any, any][]} */ ([
    [Int8Array, Bytes],
    [Uint8Array, Bytes],
    [Uint8ClampedArray, Bytes],
    [Int16Array, Shorts],
    [Uint16Array, Shorts],
    [/** @type {any} */ (globalThis).Float16Array, Shorts],
    [Int32Array, Words],
    [Uint32Array, Words],
    [Float32Array, Floats],
    [Float64Array, Doubles],
    [BigInt64Array, Longs],
    [BigUint64Array, Longs],
  ]),
);
classes.delete(undefined); // without a Float16Array

/**
 * The class of views for an element type; undefined for anything that is not one.
 *
 * @param {unknown} Type
 * @returns {(new (...args: ConstructorParameters<typeof View<any>>) => any) | undefined}
 */
export const viewClassOf = (Type) => classes.get(Type);

/**
 * The element type of a name such as 'Float32Array', as references carry it, and its class of views;
 * nothing for other names.
 *
 * @param {unknown} name
 * @returns {[ElementType, new (...args: ConstructorParameters<typeof View<any>>) => any] | []}
 */
export const typeNamed = (name) => [...classes].find(([Type]) => Type.name === name) ?? [];
