/**
 * The programs that are recorded: how each is called, and which part of its calls becomes a trace. Their
 * inputs are in programs/, or made here, always the same.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, Problem, ROOT, run, which } from '../../../scripts/run.mjs';

/**
 * @typedef {object} Program
 * @property {string} name of the trace
 * @property {number} operations of the part, without those that free what is left
 * @property {number} skip calls before the part begins
 * @property {Record<string, string>} [env]
 * @property {(folder: string) => Promise<string[]>} prepare makes the inputs in a folder of its own, and
 *   tells the program and its arguments
 */

/** @param {string} file */
const input = (file) => join(import.meta.dirname, 'programs', file);

const EMSCRIPTEN = ['forky', 'sid'].map((suite) => join(CACHE, `emscripten-${suite}`, 'usr'));

/** @param {string} name @param {string} [where] the Debian package that has it */
function find(name, where = name) {
  const path = [which(name), ...EMSCRIPTEN.map((folder) => join(folder, 'bin', name))].find(
    (file) => file && existsSync(file),
  );
  if (!path) throw new Problem(`${name} is missing (Debian's package ${where})`);
  return path;
}

/** Tables, indices, joins, changes and views over some ten thousand rows. */
function sql() {
  let seed = 1;
  const random = (/** @type {number} */ below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  const lines = [
    'PRAGMA cache_size = 2000;',
    'CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);',
    'CREATE TABLE sale(id INTEGER PRIMARY KEY, customer REFERENCES customer, day TEXT, price REAL);',
    'CREATE TABLE line(sale REFERENCES sale, article TEXT, count INT, note TEXT);',
    'CREATE INDEX line_sale ON line(sale);',
    'BEGIN;',
  ];
  for (let i = 1; i <= 2000; i++) {
    lines.push(
      `INSERT INTO customer VALUES(${i}, 'customer ${random(1e6)}', 'city ${random(90)}');`,
    );
  }
  for (let i = 1; i <= 8000; i++) {
    const day = `2024-${random(12) + 1}-${random(28) + 1}`;
    lines.push(
      `INSERT INTO sale VALUES(${i}, ${random(2000) + 1}, '${day}', ${random(1e5) / 100});`,
    );
    const articles = Array.from({ length: random(5) + 1 }, () => `article ${random(500)}`);
    const values = articles.map(
      (name) => `(${i}, '${name}', ${random(9) + 1}, hex(randomblob(20)))`,
    );
    lines.push(`INSERT INTO line VALUES ${values.join(', ')};`);
  }
  lines.push('COMMIT;', 'CREATE INDEX sale_customer ON sale(customer, day);', 'ANALYZE;');
  for (let i = 0; i < 600; i++) {
    const [id, city] = [random(2000) + 1, random(90)];
    lines.push(
      `SELECT c.name, s.day, sum(l.count) AS n, group_concat(l.article, '; ') FROM customer c
       JOIN sale s ON s.customer = c.id LEFT JOIN line l ON l.sale = s.id
       WHERE c.id = ${id} GROUP BY s.id ORDER BY n DESC, s.day LIMIT 5;`,
      `UPDATE sale SET price = price * 1.01, day = upper(day || '${city}') WHERE customer = ${id};`,
    );
    if (i % 50 !== 0) continue;
    lines.push(
      `WITH big AS (SELECT customer, sum(price) AS total, json_group_array(day) AS days FROM sale
       GROUP BY customer HAVING total > ${random(400)}) SELECT city, count(*), max(length(days))
       FROM big JOIN customer ON customer.id = big.customer GROUP BY city ORDER BY 2, 1;`,
      `DELETE FROM line WHERE rowid % 97 = ${i / 50}; CREATE TABLE t${i} AS SELECT * FROM sale LIMIT 300;`,
      `SELECT printf('%s-%d', replace(note, 'A', 'xyz'), count) FROM line ORDER BY note LIMIT 200;`,
    );
  }
  return lines.join('\n');
}

/** @type {Program[]} */
export const PROGRAMS = [
  {
    name: 'sqlite3',
    operations: 400_000,
    skip: 150_000, // the last insertions, then queries and changes
    async prepare(folder) {
      writeFileSync(join(folder, 'all.sql'), sql());
      return [find('sqlite3'), '-bail', join(folder, 'all.db'), `.read ${join(folder, 'all.sql')}`];
    },
  },
  {
    name: 'python3',
    operations: 300_000,
    skip: 300_000,
    env: { PYTHONMALLOC: 'malloc', PYTHONHASHSEED: '0' },
    prepare: async () => [
      ['/usr/bin/python3', find('python3')].find(existsSync) ?? '',
      input('objects.py'),
    ],
  },
  {
    name: 'node',
    operations: 300_000,
    skip: 760_000, // after its start
    prepare: async () => [process.execPath, input('service.mjs')],
  },
  {
    name: 'cc1plus',
    operations: 300_000,
    skip: 1_000_000, // in the midst of the headers
    async prepare(folder) {
      const source = join(folder, 'templates.ii');
      const gcc = find('g++');
      await run(gcc, ['-std=c++17', '-O2', '-E', input('templates.cc'), '-o', source]);
      const { output } = await run(gcc, ['-print-prog-name=cc1plus']);
      const flags = ['-quiet', '-fpreprocessed', '-std=c++17', '-O2'];
      return [output.trim(), ...flags, source, '-o', '/dev/null'];
    },
  },
  {
    name: 'clang',
    operations: 300_000,
    skip: 300_000, // the optimizer
    async prepare() {
      const source = EMSCRIPTEN.map((folder) =>
        join(folder, 'share/emscripten/system/lib/dlmalloc.c'),
      );
      const file = source.find(existsSync);
      if (!file) throw new Problem("The SDK's dlmalloc.c is missing: npm run setup fetches it");
      return [find('clang'), '-O2', '-c', file, '-o', '/dev/null'];
    },
  },
  {
    name: 'wasm-opt',
    operations: 240_000,
    skip: 1_000_000, // four threads at work
    env: { BINARYEN_CORES: '4' },
    async prepare(folder) {
      const decoder = 'node_modules/three/examples/jsm/libs/draco/draco_decoder.wasm';
      const [from, to] = [join(ROOT, decoder), join(folder, 'out.wasm')];
      return [find('wasm-opt', 'binaryen'), '-all', '-O1', from, '-o', to];
    },
  },
];
