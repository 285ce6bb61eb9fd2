/**
 * What walloc costs, as ratios taken in one run on this machine.
 *
 *     npm run bench                            everything, about 15 minutes
 *     npm run bench -- heap                    or programs (SQLite and others), or arenas, or js
 *     npm run bench -- heap --rounds 5 --only pair,replay --threads 1,2 --json rows.json
 *     npm run bench -- page                    the heap's in a browser: prints the address, until Ctrl-C
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PROGRAMS, WORKLOADS } from '../bench/heap/summary.mjs';
import { benchArenas } from './bench/arenas.mjs';
import { benchHeap } from './bench/heap.mjs';
import { servePage } from './bench/page.mjs';
import { buildPreset } from './build.mjs';
import { Problem, isMain, run, script, step } from './run.mjs';
import { setUpForTests } from './setup.mjs';

const ROUNDS = 3;

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: String(ROUNDS) },
      only: { type: 'string' },
      threads: { type: 'string' },
      json: { type: 'string' },
    },
  });
  for (const name of positionals) {
    if (!['heap', 'programs', 'arenas', 'js', 'page'].includes(name)) {
      throw new Problem(`Not heap, not programs, not arenas, not js, not page: ${name}`);
    }
  }
  const rounds = Number(values.rounds);
  const threads = values.threads?.split(',').map(Number);
  if (!(rounds >= 1)) throw new Problem('--rounds takes a number, 1 at least');
  if (threads?.some((count) => ![1, 2, 4].includes(count))) {
    throw new Problem('--threads takes some of 1,2,4');
  }
  return {
    page: positionals.includes('page'),
    has: (/** @type {string} */ name) => positionals.length === 0 || positionals.includes(name),
    heap: {
      rounds,
      threads,
      only: values.only?.split(','),
      json: values.json && resolve(values.json),
    },
  };
}

if (isMain(import.meta.url)) {
  script(async () => {
    const { has, heap, page } = options();
    await setUpForTests();
    const presets = [
      ...(has('arenas') ? ['native'] : []),
      ...(has('arenas') || has('heap') || page ? ['emscripten'] : []),
      ...(has('js') ? ['attached'] : []),
    ];
    for (const preset of presets) {
      const targets = preset === 'attached' ? [] : ['benchmarks'];
      await step(`Building (${preset})`, () => buildPreset(preset, ...targets));
    }
    if (has('programs') || page) {
      const build = ['--build', '--preset', 'emscripten', '--target', 'bench_programs'];
      await step('Building the programs', () => run('cmake', build));
    }
    const known = [...(has('heap') ? WORKLOADS : []), ...(has('programs') ? PROGRAMS : [])];
    if (known.length) await benchHeap({ known, ...heap });
    if (has('arenas')) await benchArenas();
    if (has('js')) {
      console.log('\nJavaScript');
      await run('node', ['bench/javascript.mjs'], { show: true });
    }
    if (page) await servePage();
  });
}
