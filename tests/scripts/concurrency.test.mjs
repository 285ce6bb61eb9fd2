/** docs/concurrency.md and the pages that it names tell of every atomic there is in src/. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { ROOT } from '../../scripts/run.mjs';

const TABLES = ['concurrency', 'frames', 'contexts', 'queue', 'recovery'];

/** Without comments. @param {string} name */
const source = (name) =>
  readFileSync(`${ROOT}src/${name}`, 'utf8').replace(/\/\*[\s\S]*?\*\//g, ' ');

/** The names of what a file declares as atomic, itself and not as a parameter or a pointer to one. @param {string} text */
function* atomicsIn(text) {
  for (const [, declared] of text.matchAll(/\b_Atomic\s+\w+\s+([\w\s,=[\]&]*?);/g)) {
    for (const one of declared.split(',')) {
      const name = one.match(/^\s*(\w+)\s*(?:$|[=[])/)?.[1];
      if (name) yield name;
    }
  }
}

/** What stands in the first column of the tables, and is code. */
const told = new Set(
  TABLES.flatMap((page) => readFileSync(`${ROOT}docs/${page}.md`, 'utf8').split('\n'))
    .filter((line) => line.startsWith('|'))
    .flatMap((line) => [...line.split('|')[1].matchAll(/`([^`]+)`/g)])
    .flatMap(([, code]) => code.match(/\w+/g) ?? []),
);

test('every atomic is in a table', () => {
  const files = readdirSync(`${ROOT}src`, { recursive: true })
    .map(String)
    .filter((name) => /\.[ch]$/.test(name));
  const all = files.flatMap((name) => [...atomicsIn(source(name))].map((word) => [name, word]));
  assert.ok(all.length > 50, `only ${all.length} atomics were found`);
  const missing = all.filter(([, word]) => !told.has(word)).map((pair) => pair.join(': '));
  assert.deepEqual(missing, []);
});

test('every operation on an atomic names its order', () => {
  const plain = readdirSync(`${ROOT}src`, { recursive: true })
    .map(String)
    .filter((name) => /\.[ch]$/.test(name))
    .filter((name) => /\batomic_(?!\w*_explicit\b|signal_fence\b)\w+\s*\(/.test(source(name)));
  assert.deepEqual(plain, []);
});
