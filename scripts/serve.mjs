/**
 * Serves the built pages with the headers that isolate them: see vite.config.mjs.
 */
import { preview } from 'vite';
import { ROOT } from './run.mjs';

/** @param {number} port the first to try */
export async function servePages(port) {
  const server = await preview({ configFile: `${ROOT}vite.config.mjs`, preview: { port } });
  return {
    url: server.resolvedUrls?.local[0] ?? '',
    close: () => server.close(),
  };
}
