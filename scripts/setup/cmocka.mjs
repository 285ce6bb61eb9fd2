/**
 * The sources of cmocka, which the C tests are built with for every platform alike. Debian's library is
 * native only, so its source package is fetched.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, run, step } from '../run.mjs';
import { fetchFromDebian } from './debian.mjs';
import { withLock } from './lock.mjs';

const VERSION = '1.1.5';
const FOLDER = join(CACHE, `cmocka-${VERSION}`);

export async function setUpCmocka() {
  if (existsSync(FOLDER)) return;
  await step(`cmocka ${VERSION}: fetching Debian's source package`, () =>
    withLock(`${FOLDER}.lock`, async () => {
      if (existsSync(FOLDER)) return;
      const request = { suite: 'bookworm', command: ['source', 'cmocka'], source: true };
      await fetchFromDebian(request, async (archives) => {
        const archive = readdirSync(archives).find((name) => name.includes('.orig.tar.'));
        mkdirSync(CACHE, { recursive: true });
        const unpacked = mkdtempSync(join(CACHE, 'cmocka-'));
        await run('tar', ['-xf', join(archives, archive ?? ''), '-C', unpacked]);
        renameSync(join(unpacked, `cmocka-${VERSION}`), FOLDER);
        rmSync(unpacked, { recursive: true });
      });
    }),
  );
}
