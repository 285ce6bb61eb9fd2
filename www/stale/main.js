/**
 * The page on use after reset: a worker throws a block away that the page still has a view of.
 *
 * Query parameters: autostart=1, way=reset|compact|rewind|free. When it has ended, `window.demoResult` holds
 * what came out.
 *
 * @typedef {import('./worker.js').Way} Way
 */
import { Walloc, WallocStaleView } from '../../workers/walloc.js';
import { Checks } from '../shared/checks.js';
import { ChecksView } from '../shared/checks-view.js';
import { ResultCopy, Settings, byId, showMode, startPage } from '../shared/page.js';
import { WorkerGroup } from '../shared/worker-group.js';

const MIB = 2 ** 20;
const MEMORY = { maximum: 32 * MIB, reserve: 4 * MIB };

const CHECKS = {
  read: 'The page reads what the worker has written',
  caught: 'view.get throws WallocStaleView',
  refused: 'walloc.view refuses the reference',
  kept: 'What was to be kept is still there, or is refused too',
  raw: 'A raw typed array of the same bytes notices nothing, and reads something else',
};

/** @param {() => unknown} call @returns {unknown} what it threw */
function thrownBy(call) {
  try {
    call();
    return null;
  } catch (error) {
    return error;
  }
}

/** @param {unknown} error */
const nameOf = (error) =>
  error instanceof Error ? `${error.name}: ${error.message}` : 'nothing was thrown';

class Page {
  #settings = new Settings(['way']);
  #copy = new ResultCopy();
  #view = new ChecksView(byId('checks'), byId('verdict'));
  #running = false;

  constructor() {
    byId('controls').addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.#running) void this.#run();
    });
    this.#view.showAll(this.#declare().list());
    showMode({ threads: 1, maximum: MEMORY.maximum / MIB });
    if (this.#settings.isAutostart) void this.#run();
  }

  #declare() {
    const checks = new Checks((check) => this.#view.show(check));
    checks.declare('Checks', CHECKS);
    return checks;
  }

  async #run() {
    delete window.demoResult;
    this.#setRunning(true);
    byId('steps').replaceChildren();
    const checks = this.#declare();
    this.#view.showAll(checks.list());
    const way = /** @type {Way} */ (this.#settings.text('way'));
    const group = new WorkerGroup(
      1,
      () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
    );
    let error = '';
    try {
      await this.#steps(await Walloc.create(MEMORY), group, way, checks);
    } catch (thrown) {
      error = String(thrown);
    }
    group.terminate();
    const result = { passed: checks.passed && !error, way, error, checks: checks.outcomes() };
    this.#view.showVerdict(
      result.passed
        ? 'Caught: the view, and the reference, are known to be stale'
        : `Failed ${error}`,
      result.passed ? 'passed' : 'failed',
    );
    this.#setRunning(false);
    this.#copy.offer(result);
    window.demoResult = result;
  }

  /** @param {Walloc} walloc @param {WorkerGroup} group @param {Way} way @param {Checks} checks */
  async #steps(walloc, group, way, checks) {
    await group.call(0, 'attach', walloc.handle);
    const refs = await group.call(0, 'write', way);
    const [kept, block] = [walloc.view(refs.kept), walloc.view(refs.block)];
    this.#say('The worker takes two blocks, writes to them, and sends their references.');
    checks.report('read', block.get(7) === 0.5 && kept.get(7) === 0.25, `it reads ${block.get(7)}`);
    const raw = block.array;
    this.#say(`The page makes views of them. view.get(7) is ${block.get(7)}.`);

    await group.call(0, 'throwAway', way);
    this.#say(
      `The worker throws the second block away, by ${way}, and takes others, which it fills with -1.`,
    );
    const thrown = thrownBy(() => block.get(7));
    checks.report('caught', thrown instanceof WallocStaleView, nameOf(thrown));
    this.#say(`view.get(7) throws. ${nameOf(thrown)}`);
    const refusal = thrownBy(() => walloc.view(refs.block));
    checks.report('refused', refusal instanceof WallocStaleView, nameOf(refusal));
    const ofKept = thrownBy(() => kept.get(7));
    checks.report(
      'kept',
      way === 'reset' ? ofKept instanceof WallocStaleView : !ofKept && kept.get(7) === 0.25,
      way === 'reset' ? 'a reset keeps nothing: it is stale' : `it reads ${kept.get(7)}`,
    );
    checks.report(
      'raw',
      raw[0] !== 0.5,
      `array[0] is ${raw[0]}, which nobody has written to this block`,
    );
    this.#say(
      `A typed array of the same bytes reads ${raw[0]} where 0.5 was written. Keep views, not arrays.`,
    );
    await group.call(0, 'detach');
  }

  /** @param {string} text */
  #say(text) {
    const item = document.createElement('li');
    item.textContent = text;
    byId('steps').append(item);
  }

  /** @param {boolean} running */
  #setRunning(running) {
    this.#running = running;
    byId('start').disabled = running;
    this.#settings.disabled = running;
    byId('status').textContent = running ? 'Running' : 'Ready';
    if (!running) byId('start').focus();
  }
}

startPage(() => void new Page());
