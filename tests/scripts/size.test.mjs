/**
 * walloc stays as light as it promises.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureSizes } from '../../scripts/size.mjs';

test('module, JavaScript and start-up memory are within their limits', async () => {
  const sizes = await measureSizes();
  assert.equal(sizes.length, 4);
  for (const { name, value, limit } of sizes) {
    assert.ok(value > 0 && value <= limit, `${name}: ${value} of at most ${limit}`);
  }
});
