/**
 * A fixed number of Web Workers that answer calls by message.
 *
 * For everything that may take its time: start-up, pressure, verification. (Frames are handed over
 * by atomics instead: see simulation/frame-gate.js.) Owned and called by the page; the other end
 * is `answerCalls`, called once by each worker.
 *
 * A worker that throws, cannot be loaded or is stopped rejects the calls that it still owes.
 *
 * @typedef {{call: number, name: string, argument: unknown}} CallMessage
 * @typedef {{call: number, value?: unknown, error?: {name: string, message: string, code?: string}}}
 *   AnswerMessage
 */

/** An error that happened in a worker, with the name and code that it had there. */
export class WorkerError extends Error {
  /** @param {number} worker @param {{name: string, message: string, code?: string}} error */
  constructor(worker, error) {
    super(`worker ${worker}: ${error.name}: ${error.message}`);
    this.name = 'WorkerError';
    this.code = error.code;
  }
}

export class WorkerGroup {
  /** @type {Worker[]} */
  #workers = [];

  /** @type {Map<number, {worker: number, resolve: (value: any) => void, reject: (e: Error) => void}>} */
  #owed = new Map();

  #nextCall = 1;

  /** @type {(error: Error) => void} */
  #onFailure;

  /**
   * @param {number} count
   * @param {() => Worker} create
   * @param {(error: Error) => void} [onFailure] told of errors outside any call
   */
  constructor(count, create, onFailure = () => {}) {
    this.#onFailure = onFailure;
    for (let index = 0; index < count; index++) {
      const worker = create();
      worker.onmessage = (event) => this.#answered(event.data);
      worker.onerror = (event) => this.#failed(index, event.message || 'could not be loaded');
      worker.onmessageerror = () => this.#failed(index, 'a message that could not be read');
      this.#workers.push(worker);
    }
  }

  get size() {
    return this.#workers.length;
  }

  /**
   * @param {number} worker
   * @param {string} name of a function handed to answerCalls
   * @param {unknown} [argument] anything that can be cloned
   * @returns {Promise<any>}
   */
  call(worker, name, argument) {
    const call = this.#nextCall++;
    const answer = new Promise((resolve, reject) => {
      this.#owed.set(call, { worker, resolve, reject });
    });
    this.#workers[worker].postMessage({ call, name, argument });
    return answer;
  }

  /**
   * The same call to every worker at once.
   *
   * @param {string} name
   * @param {(worker: number) => unknown} [argumentOf]
   * @returns {Promise<any[]>} answers in order of workers
   */
  callAll(name, argumentOf = () => undefined) {
    return Promise.all(
      this.#workers.map((_, worker) => this.call(worker, name, argumentOf(worker))),
    );
  }

  /** Ends all workers at once, whatever they do, and rejects what they owe. */
  terminate() {
    for (const worker of this.#workers) worker.terminate();
    for (const { reject } of this.#owed.values()) reject(new Error('the workers were stopped'));
    this.#owed.clear();
  }

  /** @param {AnswerMessage} message */
  #answered({ call, value, error }) {
    const owed = this.#owed.get(call);
    this.#owed.delete(call);
    if (!owed) return;
    if (error) owed.reject(new WorkerError(owed.worker, error));
    else owed.resolve(value);
  }

  /** @param {number} index @param {string} message */
  #failed(index, message) {
    const error = new WorkerError(index, { name: 'Error', message });
    this.#onFailure(error);
    for (const [call, owed] of this.#owed) {
      if (owed.worker !== index) continue;
      this.#owed.delete(call);
      owed.reject(error);
    }
  }
}

/**
 * The worker's end: answers calls with the functions given, one at a time in the order of arrival.
 *
 * @param {Record<string, (argument: any) => unknown>} functions
 */
export function answerCalls(functions) {
  let previous = Promise.resolve();
  globalThis.onmessage = (/** @type {MessageEvent<CallMessage>} */ event) => {
    const { call, name, argument } = event.data;
    previous = previous.then(async () => {
      try {
        const answer = functions[name];
        if (!answer) throw new Error(`no function ${name}`);
        globalThis.postMessage({ call, value: await answer(argument) });
      } catch (thrown) {
        const { name: kind, message, code } = /** @type {any} */ (thrown);
        globalThis.postMessage({ call, error: { name: kind, message, code } });
      }
    });
  };
}
