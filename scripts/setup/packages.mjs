/**
 * The packages of the npm registry, as package-lock.json has them.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run, step } from '../run.mjs';

/** @param {string} path */
const changed = (path) => statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

export async function setUpPackages() {
  // npm writes this file last.
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return;
  await step('Packages of the npm registry', () => run('npm', ['ci', '--no-progress']));
}
