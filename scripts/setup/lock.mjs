/**
 * One process at a time: for set-up steps that two checkouts may begin at the same moment.
 *
 * The lock is a symbolic link whose target is the number of the process that holds it: making one is a
 * single step that fails when it exists. A process that has died holds nothing.
 */
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** @param {string} path */
function holder(path) {
  try {
    return Number(readlinkSync(path));
  } catch {
    return 0; // given back a moment ago
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {string} path */
function tryLock(path) {
  try {
    symlinkSync(String(process.pid), path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * @template T
 * @param {string} path of the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryLock(path)) {
    const pid = holder(path);
    if (pid && !isAlive(pid)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) console.log(`  waiting for process ${pid}, which is doing the same`);
    told = true;
    await wait(500);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
