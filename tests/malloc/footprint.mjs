/**
 * What a program pays at least: the smallest one that calls malloc, linked with walloc, is no larger than
 * with Emscripten's dlmalloc, and few bytes of memory stand behind its first block.
 *
 *     node footprint.mjs with-walloc.js with-dlmalloc.js
 */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';

const MEMORY_MAX = 320 * 1024;

/** @param {string} script */
const sizeOfModule = (script) => statSync(script.replace(/\.js$/, '.wasm')).size;

/** @param {string} script a program that prints how many bytes it has taken */
function bytesTaken(script) {
  const output = execFileSync(process.execPath, [script], { encoding: 'utf8' });
  if (!/^\d+\n$/.test(output)) throw new Error(`${script} printed no number: ${output}`);
  return Number(output);
}

const [walloc, dlmalloc] = process.argv.slice(2);
const sizes = { walloc: sizeOfModule(walloc), dlmalloc: sizeOfModule(dlmalloc) };
const taken = bytesTaken(walloc);
console.log(`module: ${sizes.walloc} bytes, with dlmalloc ${sizes.dlmalloc}`);
console.log(`memory behind the first block: ${taken} bytes, at most ${MEMORY_MAX} allowed`);
const failed = sizes.walloc > sizes.dlmalloc || taken > MEMORY_MAX || taken === 0;
console.log(failed ? 'footprint: too large' : 'footprint: small enough');
process.exitCode = failed ? 1 : 0;
