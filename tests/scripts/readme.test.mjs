/**
 * The README quotes the examples as they are, and names only commands and files that exist.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
/** @param {string} path */
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const readme = read('README.md');

for (const path of ['examples/c/first.c', 'examples/javascript/first.mjs']) {
  test(`the README quotes ${path}`, () => {
    const quoted = readme.split(`<!-- ${path} -->\n\n`)[1]?.match(/^```\w+\n([^]*?)```/)?.[1];
    assert.equal(quoted, read(path));
  });
}

test('the commands in the README exist', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const named = [...readme.matchAll(/npm (?:run )?(start|test|size|bench|lint|format|setup)\b/g)];
  assert.ok(named.length >= 5);
  for (const [, name] of named) assert.ok(scripts[name], name);
  for (const command of /** @type {string[]} */ (Object.values(scripts))) {
    assert.ok(existsSync(new URL(command.split(' ')[1], root)), command);
  }
});

test('the links in the documents lead somewhere', () => {
  const docs = readdirSync(new URL('docs', root)).filter((name) => name.endsWith('.md'));
  const others = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'examples/cpp-pmr/README.md'];
  for (const document of [...others, ...docs.map((name) => `docs/${name}`)]) {
    const links = [...read(document).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)];
    for (const [, link] of links) {
      assert.ok(existsSync(new URL(link, new URL(document, root))), `${document}: ${link}`);
    }
  }
});
