/**
 * What Node is recorded with: a small service that answers requests over a local connection, with
 * compressed JSON, while a worker thread does sums.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';

const REQUESTS = 400;

/** @param {string} path */
function answer(path) {
  const rows = Array.from({ length: 20 }, (_row, i) => ({ path, i, square: i * i }));
  const digest = createHash('sha256').update(path).digest('hex');
  return gzipSync(JSON.stringify({ url: new URL(path, 'http://localhost').href, digest, rows }));
}

/** @param {number} port @param {string} path */
async function ask(port, path) {
  const [response] = await once(get({ port, path, agent: false }), 'response');
  const parts = [];
  for await (const part of response) parts.push(part);
  return JSON.parse(gunzipSync(Buffer.concat(parts)).toString());
}

async function serve() {
  const worker = new Worker(new URL(import.meta.url));
  const server = createServer((request, response) => response.end(answer(request.url ?? '/')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  let sum = 0;
  for (let i = 0; i < REQUESTS; i += 4) {
    const answers = await Promise.all([0, 1, 2, 3].map((k) => ask(port, `/item/${i + k}?q=${k}`)));
    sum += answers.flatMap(({ rows }) => rows).length;
    worker.postMessage(answers);
    await once(worker, 'message');
  }
  server.close();
  await worker.terminate();
  console.log(sum);
}

if (isMainThread) await serve();
else parentPort?.on('message', (answers) => parentPort?.postMessage(structuredClone(answers)));
