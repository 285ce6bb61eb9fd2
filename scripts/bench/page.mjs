/**
 * Serves the page that runs the heap's benchmark in a browser: see bench/heap/page.
 */
import { ROOT } from '../run.mjs';
import { serve } from '../serve-folder.mjs';

const FOLDER = `${ROOT}build/emscripten/bench/heap`;

/** Until the process is ended. */
export async function servePage() {
  const { url } = await serve(FOLDER, { isolated: true });
  console.log(`\nThe benchmark is at ${url} (Ctrl-C ends it)`);
}
