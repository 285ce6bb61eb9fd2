/**
 * The npm package as its users get it: packed, and unpacked into a node_modules folder.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { ROOT, run } from '../../scripts/run.mjs';

/**
 * @param {string} folder of a program; gets node_modules
 * @returns {Promise<string[]>} the paths in the package
 */
export async function installInto(folder) {
  const target = `${folder}/node_modules/@walloc/walloc`;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const packed = ['pack', '--json', '--pack-destination', folder];
  const { output } = await run('npm', packed);
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf('[')));
  await run('tar', ['-xzf', `${folder}/${filename}`, '-C', target, '--strip-components=1']);
  return files.map((/** @type {{ path: string }} */ { path }) => path);
}

/**
 * A new folder in build/, with the package installed and a copy of some of the repository's files.
 *
 * @param {string} name
 * @param {string} [from] a folder of the repository
 */
export async function freshProgram(name, from) {
  const folder = `${ROOT}build/${name}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Or Node and TypeScript would take the repository itself for the package.
  writeFileSync(`${folder}/package.json`, '{ "private": true, "type": "module" }\n');
  if (from) cpSync(`${ROOT}${from}`, folder, { recursive: true });
  return { folder, files: await installInto(folder) };
}
