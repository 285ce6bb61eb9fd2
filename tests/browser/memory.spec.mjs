/**
 * The 4 GiB page: memory above 3.9 GiB can be written and read, byte for byte.
 */
import { expect, test } from '@playwright/test';
import { checkOf, failedOf, meddleBeforeCalls, open, resultOf, watchErrors } from './pages.mjs';

const GIB = 1024 ** 3;
const LAST_PAGE = 4 * GIB - 65536; // never handed out

test('all memory above 3.9 GiB can be written and read', async ({ page }) => {
  const errors = watchErrors(page);
  await open(page, 'memory.html?autostart=1');
  const result = await resultOf(page, 'memoryResult');
  expect(failedOf(result.checks)).toEqual([]);
  expect(result).toMatchObject({ passed: true, stopped: false, error: null });
  expect(result.reached).toBeGreaterThan(3.99 * GIB);
  expect(result.reached).toBeLessThanOrEqual(LAST_PAGE);
  expect(result.verified).toBeGreaterThanOrEqual(0.09 * GIB);
  await expect(page.locator('#verdict')).toContainText('Passed');
  expect(errors).toEqual([]);
});

test('notices one changed byte above 3.9 GiB', async ({ page }) => {
  await meddleBeforeCalls(page, (memory, { name, argument }) => {
    const state = /** @type {any} */ (globalThis);
    const high =
      name === 'read' && argument.find((/** @type {any} */ ref) => ref.address > 3.9 * 2 ** 30);
    if (!high || state.done) return;
    state.done = true;
    new Uint8Array(memory.buffer, high.address, high.length * 4)[high.length * 2 + 1] ^= 1;
  });
  await open(page, 'memory.html?autostart=1');
  const result = await resultOf(page, 'memoryResult');
  expect(result.passed).toBe(false);
  expect(checkOf(result, 'dense')).toMatchObject({ passed: false });
  expect(checkOf(result, 'dense').detail).toContain(' 1 words differ');
});

test('stops', async ({ page }) => {
  await open(page, 'memory.html?workers=1');
  const stop = page.getByRole('button', { name: 'Stop' });
  await page.getByRole('button', { name: 'Start' }).click();
  await stop.click();
  const result = await resultOf(page, 'memoryResult');
  expect(result).toMatchObject({ stopped: true, passed: false, error: null });
  await expect(stop).toBeDisabled();
});
