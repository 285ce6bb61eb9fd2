/**
 * What arenas cost beside a plain bump allocation, and a frame's work beside the SDK's mallocs.
 */
import { run } from '../run.mjs';

const ROUNDS = 7;
const FRAMES = ['200', '10000']; // frames, blocks in each
const MALLOCS = ['dlmalloc', 'emmalloc', 'mimalloc'];

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/**
 * Nanoseconds for each block of a frame: walloc's tier beside the SDK's mallocs, in alternating rounds.
 *
 * @param {string} threads
 */
async function frames(threads) {
  const programs = ['bench_frames', ...MALLOCS.map((name) => `bench_frames_${name}`)];
  const times = programs.map(() => /** @type {number[]} */ ([]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, program] of programs.entries()) {
      const path = `build/emscripten/bench/${program}.js`;
      times[i].push(Number((await run('node', [path, threads, ...FRAMES])).output));
    }
  }
  const [walloc, ...mallocs] = times.map(median);
  const others = mallocs.map(
    (time, i) => `${MALLOCS[i]} ${time.toFixed(1)} ns (${(time / walloc).toFixed(1)} times)`,
  );
  return `${threads} thread${threads === '1' ? '' : 's'}: walloc ${walloc.toFixed(1)} ns, ${others.join(', ')}`;
}

export async function benchArenas() {
  const show = { show: true };
  console.log('\nArenas in C, native');
  await run('build/native/bench/bench_arena', [], show);
  await run('build/native/bench/bench_pins', [], show);
  console.log('\nArenas in C, WebAssembly under Node');
  await run('node', ['build/emscripten/bench/bench_arena.js'], show);
  await run('node', ['build/emscripten/bench/bench_pins.js'], show);
  console.log(
    '\nA frame of 10,000 blocks of 16 to 512 bytes, WebAssembly, for each block and thread',
  );
  for (const threads of ['1', '2', '4']) console.log(await frames(threads));
}
