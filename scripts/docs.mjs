/**
 * The API reference of the npm package, from the comments in workers/, as HTML in build/docs.
 *
 *     npm run docs
 */
import { ROOT, isMain, run, script, step } from './run.mjs';
import { setUpPackages } from './setup/packages.mjs';

export async function buildDocs() {
  await step('Writing the API reference', () => run('npx', ['typedoc']));
  return `${ROOT}build/docs/index.html`;
}

if (isMain(import.meta.url)) {
  script(async () => {
    await setUpPackages();
    console.log(`Built: ${await buildDocs()}`);
  });
}
