/**
 * What the JavaScript API costs, as ratios to what it is built of.
 *
 * Every case runs in short rounds that alternate with all the others; printed is the fastest of each, in
 * nanoseconds per operation, and ratios: whatever else the machine does only makes rounds slower. A single
 * machine's nanoseconds say little; the ratios do.
 *
 * "Hot": the loop knows the array or view as a constant, as a program's one big buffer is. "Passed": it is
 * an argument, so that the engine must look at it again each time. For the latter, views of six element
 * types are used first, as a whole program would. "Survived": the same after the view's block has outlived a
 * compact, when the engine has seen that get() may call the module, and keeps the sum in memory for it.
 *
 * The elements are fractions. Of whole numbers the engine guesses that their sum is one too, and makes an integer of
 * each; whether it has to, depends on when it compiles the loop.
 *
 *     node bench/javascript.mjs [rounds]
 */
import { readFileSync } from 'node:fs';
import { Walloc } from '../workers/walloc.js';

const ROUNDS = Number(process.argv[2] ?? 200);
const TIMES = Number(process.argv[3] ?? 10);
const LENGTH = 4096;

const module = new WebAssembly.Module(
  readFileSync(new URL('../workers/walloc.wasm', import.meta.url)),
);
const walloc = await Walloc.create({ maximum: 256 << 20, reserve: 64 << 20, wasm: module });

/** A module of one function that does nothing, to know what a call costs. */
const empty = new WebAssembly.Instance(
  new WebAssembly.Module(
    new Uint8Array([
      0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0,
      0, 10, 6, 1, 4, 0, 65, 0, 11,
    ]),
  ),
).exports;
const call = /** @type {(a: number, b: number) => number} */ (empty.f);

const { render } = walloc;
const view = walloc.scene.alloc(Float32Array, LENGTH);
const { array } = view;
array.fill(0.5);

/** Each case is a function that does so many operations and returns a number, which is not dropped. */
const cases = {
  'empty wasm call'(/** @type {number} */ length) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum = (sum + call(i, 8)) | 0;
    return sum;
  },
  'render.allocAddress(64)'(/** @type {number} */ length) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum = (sum + render.allocAddress(64)) | 0;
    render.reset();
    return sum;
  },
  'new Float32Array on shared memory'(/** @type {number} */ length) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += new Float32Array(array.buffer, i * 64, 16).length;
    return sum;
  },
  'render.alloc(Float32Array, 16)'(/** @type {number} */ length) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += walloc.render.alloc(Float32Array, 16).length;
    walloc.render.reset();
    return sum;
  },
  'hot: array[i]'(/** @type {number} */ length) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += array[i];
    return sum;
  },
  'hot: view.get(i)'(/** @type {number} */ length) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += view.get(i);
    return sum;
  },
  'hot: view.array hoisted'(/** @type {number} */ length) {
    const hoisted = view.array;
    let sum = 0;
    for (let i = 0; i < length; i++) sum += hoisted[i];
    return sum;
  },
  'hot: array[i] = x'(/** @type {number} */ length) {
    for (let i = 0; i < length; i++) array[i] = i + 0.5;
    return array[9];
  },
  'hot: view.set(i, x)'(/** @type {number} */ length) {
    for (let i = 0; i < length; i++) view.set(i, i + 0.5);
    return array[9];
  },
  'passed: array[i]': (/** @type {number} */ length) => sumOfArray(array, length),
  'passed: view.get(i)': (/** @type {number} */ length) => sumOfView(view, length),
};

/** Measured when all others have been: what it sees, the engine does not forget. */
const afterCompact = {
  'survived: array[i]': (/** @type {number} */ length) => sumOfArray(array, length),
  'survived: view.get(i)': (/** @type {number} */ length) => sumOfView(view, length),
};

/** @param {Float32Array} values @param {number} length */
function sumOfArray(values, length) {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values[i];
  return sum;
}

/** @param {{ get(index: number): number }} values @param {number} length */
function sumOfView(values, length) {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values.get(i);
  return sum;
}

let kept = 0;
for (const Type of [Uint8Array, Uint16Array, Int32Array, Uint32Array, Float64Array]) {
  const other = walloc.scene.alloc(Type, LENGTH);
  for (let i = 0; i < 20 * LENGTH; i++) kept += other.get(i % LENGTH);
}

/** @type {Record<string, number[]>} */
const times = {};

/**
 * Short calls come first: in a function that begins with its longest loop, the engine compiles what stands before the
 * loop without having seen it done, and in some runs never again.
 *
 * @param {Record<string, (length: number) => number>} runs
 */
function measure(runs) {
  for (const run of Object.values(runs)) for (let i = 0; i < 100; i++) kept += run(8);
  for (let round = -20; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < TIMES; i++) kept += run(LENGTH);
      const time = Number(process.hrtime.bigint() - start) / (TIMES * LENGTH);
      if (round >= 0) (times[name] ??= []).push(time); // those before warm up
    }
  }
}

measure(cases);
walloc.scene.compact(walloc.scene.used);
measure(afterCompact);

/** @param {string} name @param {string} base */
function report(name, base) {
  const [time, unit] = [Math.min(...times[name]), Math.min(...times[base])];
  const ratio = name === base ? '' : `${(time / unit).toFixed(2)} x ${base}`;
  console.log(`${name.padEnd(34)} ${time.toFixed(2).padStart(7)} ns  ${ratio}`);
}

report('empty wasm call', 'empty wasm call');
report('render.allocAddress(64)', 'empty wasm call');
report('new Float32Array on shared memory', 'empty wasm call');
report('render.alloc(Float32Array, 16)', 'empty wasm call');
report('render.alloc(Float32Array, 16)', 'new Float32Array on shared memory');
report('hot: array[i]', 'hot: array[i]');
report('hot: view.get(i)', 'hot: array[i]');
report('hot: view.array hoisted', 'hot: array[i]');
report('hot: array[i] = x', 'hot: array[i] = x');
report('hot: view.set(i, x)', 'hot: array[i] = x');
report('passed: array[i]', 'passed: array[i]');
report('passed: view.get(i)', 'passed: array[i]');
report('survived: array[i]', 'survived: array[i]');
report('survived: view.get(i)', 'survived: array[i]');
if (!Number.isFinite(kept)) throw new Error('a sum went wrong');
walloc.detach();
