/**
 * Runs a workload with each of some programs, which differ in their mallocs: all must do the same.
 *
 *     node bench/programs/compare.mjs WORKLOAD PROGRAM PROGRAM ...
 */
import { execFileSync } from 'node:child_process';

const THREADS = '2';
const [workload, ...programs] = process.argv.slice(2);

const done = programs.map((program) => {
  const output = execFileSync('node', [program, workload, THREADS], { encoding: 'utf8' });
  const { operations, checksum } = JSON.parse(output);
  console.log(`${program}: ${operations} operations, checksum ${checksum}`);
  return `${operations} ${checksum}`;
});
const same = done.length > 1 && new Set(done).size === 1;
if (!same || done[0].startsWith('0 ')) {
  console.error('They have not done the same');
  process.exitCode = 1;
}
