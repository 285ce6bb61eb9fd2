/**
 * The set-up: which Emscripten is taken, and that two first runs do not meet.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findInstalled, isAtLeast } from '../../scripts/setup/emscripten.mjs';
import { withLock } from '../../scripts/setup/lock.mjs';

const folder = mkdtempSync(join(tmpdir(), 'walloc-setup-test-'));
after(() => rmSync(folder, { recursive: true }));

/**
 * An SDK that knows nothing but its version.
 *
 * @param {string} name
 * @param {string} version
 * @returns {string} the folder of its emcc
 */
function fakeSdk(name, version) {
  const sdk = join(folder, name, 'upstream/emscripten');
  mkdirSync(join(sdk, 'cmake/Modules/Platform'), { recursive: true });
  writeFileSync(join(sdk, 'cmake/Modules/Platform/Emscripten.cmake'), '');
  writeFileSync(
    join(sdk, 'emcc'),
    `#!/bin/sh\necho "shared:INFO: something else"\necho ${version}\n`,
  );
  chmodSync(join(sdk, 'emcc'), 0o755);
  return sdk;
}

test('versions are compared by number, not by letter', () => {
  assert.equal(isAtLeast('3.1.69', '3.1.69'), true);
  assert.equal(isAtLeast('3.1.6', '3.1.69'), false);
  assert.equal(isAtLeast('3.1.100', '3.1.69'), true);
  assert.equal(isAtLeast('4.0.0', '3.1.69'), true);
  assert.equal(isAtLeast('0', '3.1.69'), false);
});

test('an Emscripten that is new enough is used as it is, from EMSDK or PATH', async () => {
  const sdk = fakeSdk('new', '3.1.69');
  /** @type {string[]} */
  const told = [];
  assert.equal(await findInstalled({ EMSDK: join(folder, 'new'), PATH: '' }, told), sdk);
  assert.equal(await findInstalled({ PATH: `/nowhere:${sdk}` }, told), sdk);
  assert.deepEqual(told, []);
});

test("Debian 12's Emscripten is refused, and the reader is told why", async () => {
  const sdk = fakeSdk('old', '3.1.6');
  /** @type {string[]} */
  const told = [];
  assert.equal(await findInstalled({ PATH: sdk }, told), undefined);
  assert.equal(told.length, 1);
  assert.match(told[0], /Emscripten 3\.1\.6 at .*emcc is refused: 3\.1\.69 or newer is needed/);
});

test('an emcc that does not run is refused too', async () => {
  const sdk = fakeSdk('broken', 'nonsense');
  /** @type {string[]} */
  const told = [];
  assert.equal(await findInstalled({ PATH: sdk }, told), undefined);
  assert.equal(told.length, 1);
});

test('a lock is held by one at a time', async () => {
  const path = join(folder, 'one.lock');
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise(setImmediate);
    inside--;
  };
  await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
  assert.equal(most, 1);
  assert.equal(existsSync(path), false);
});

test('a lock is given back when the work fails', async () => {
  const path = join(folder, 'failing.lock');
  await assert.rejects(
    withLock(path, () => Promise.reject(new Error('on purpose'))),
    /on purpose/,
  );
  assert.equal(await withLock(path, async () => 'again'), 'again');
});

test('the lock of a process that has died is taken over', async () => {
  const path = join(folder, 'dead.lock');
  symlinkSync('999999999', path); // above every process number of Linux
  assert.equal(await withLock(path, async () => 'taken'), 'taken');
});
