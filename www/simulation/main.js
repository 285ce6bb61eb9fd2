/**
 * The simulation page: controls, the loop of animation frames, and what is shown of a run.
 *
 * Query parameters: autostart=1, workers=1..8, workload=small|normal|large, frames=N, sections=N, seed=N,
 * adapt=0 (draws everything, however long it takes). When a run has ended, `window.simulationResult` holds what
 * came out.
 */
import '../../workers/map/element.js';
import { ChecksView } from '../shared/checks-view.js';
import { ConsolePane } from '../shared/console-pane.js';
import { ResultCopy, Settings, showMode, startPage } from '../shared/page.js';
import { TierBars } from '../shared/tier-bars.js';
import { SectionStrip } from './flight/strip.js';
import { LIVE_AHEAD, SECTIONS_MIN } from './flight/plan.js';
import { MEMORY, MIB, WORKLOADS } from './plan.js';
import { declareChecks, runSimulation } from './simulation.js';
import { showModels } from './models-list.js';
import { Stage } from './stage.js';
import { Ticker } from './ticker.js';

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const FRAMES_MIN = 60;
/** Frames that the comparison takes at most. */
const COMPARED_MAX = 2000;
const TIMES_KEPT = 30;

class Page {
  #start = /** @type {HTMLButtonElement} */ (byId('start'));
  #stop = /** @type {HTMLButtonElement} */ (byId('stop'));
  #workers = /** @type {HTMLInputElement} */ (byId('workers'));
  #workload = /** @type {HTMLSelectElement} */ (byId('workload'));
  #frames = /** @type {HTMLInputElement} */ (byId('frames'));
  #sections = /** @type {HTMLInputElement} */ (byId('sections'));
  #compare = /** @type {HTMLAnchorElement} */ (byId('compare'));
  #pane = new ConsolePane(byId('console'));
  #checks = new ChecksView(byId('checks'), byId('verdict'));
  #bars = new TierBars(byId('tiers'), byId('memory-total'));
  #strip = new SectionStrip(byId('sections-list'), byId('section-detail'));
  #map = /** @type {import('../../workers/map/element.js').WallocMap} */ (byId('map'));
  #stage = new Stage(/** @type {HTMLCanvasElement} */ (byId('stage')));
  #ticker = new Ticker((now) => this.#tick(now));
  #copy = new ResultCopy();
  #seed = Math.floor(Math.random() * 0x100000000);

  /** @type {AbortController | null} of the run in progress */
  #running = null;
  /** @type {((now: number) => void) | null} */
  #frameStep = null;
  /** @type {number[]} times of the last frames */
  #times = [];
  #frame = 0;
  #contextLost = false;
  #adapts = new URLSearchParams(location.search).get('adapt') !== '0';

  constructor() {
    for (const [name, { title }] of Object.entries(WORKLOADS)) {
      this.#workload.add(new Option(title, name));
    }
    this.#workload.value = this.#stage.isSoftware ? 'small' : 'normal';
    this.#workload.addEventListener('change', () => this.#propose());
    byId('controls').addEventListener('input', () => this.#showSettings());
    byId('controls').addEventListener('change', () => this.#showSettings());
    byId('controls').addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#running) void this.#run();
    });
    this.#stop.addEventListener('click', () => this.#running?.abort());
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
    this.#watchContext(byId('stage'));
    this.#checks.showAll(declareChecks(() => {}).list());
    void showModels(byId('models'));
    this.#applyQuery(new URLSearchParams(location.search));
  }

  /** @param {URLSearchParams} query */
  #applyQuery(query) {
    const workload = query.get('workload') ?? '';
    if (workload in WORKLOADS) this.#workload.value = workload;
    this.#propose();
    const settings = new Settings(['workers', 'workload', 'frames', 'sections']);
    this.#showSettings();
    const seed = query.get('seed');
    if (seed !== null && Number.isFinite(Number(seed))) this.#seed = Number(seed) >>> 0;
    if (settings.isAutostart) void this.#run();
  }

  #propose() {
    const { frames, flight } = WORKLOADS[this.#workload.value];
    this.#frames.value = String(frames);
    this.#sections.value = String(flight.sections);
  }

  #showSettings() {
    showMode({ threads: Number(this.#workers.value), maximum: MEMORY.maximum / MIB });
    const { frames, workload } = this.#settings();
    const objects = (LIVE_AHEAD + 1) * WORKLOADS[workload].flight.movers;
    this.#compare.href = `compare.html?objects=${objects}&frames=${Math.min(frames, COMPARED_MAX)}`;
  }

  /** @returns {import('./simulation.js').Settings} */
  #settings() {
    return {
      workers: Number(this.#workers.value),
      workload: this.#workload.value,
      frames: Math.max(FRAMES_MIN, Math.floor(Number(this.#frames.value)) || 0),
      sections: Math.max(SECTIONS_MIN, Math.floor(Number(this.#sections.value)) || 0),
      seed: this.#seed,
    };
  }

  async #run() {
    const running = new AbortController();
    this.#running = running;
    this.#setRunning(true);
    const settings = this.#settings();
    this.#frames.value = String(settings.frames);
    this.#sections.value = String(settings.sections);
    this.#strip.clear();
    this.#frame = 0;
    this.#pane.restart();
    this.#pane.line(
      `${settings.workers} workers, workload ${settings.workload}, ${settings.frames} frames, ` +
        `${settings.sections} sections, seed ${settings.seed}; drawn by ${this.#stage.rendererName}`,
    );
    delete window.simulationResult;
    this.#checks.showAll(declareChecks(() => {}).list());
    this.#checks.showVerdict('Running');
    byId('stage-status').textContent = '';
    this.#ticker.start();

    const result = await runSimulation(settings, this.#stage, this.#listener(), running.signal);

    this.#ticker.stop();
    this.#bars.refresh();
    this.#bars.walloc = null; // lets the memory go
    this.#map.capture();
    this.#map.source = null;
    this.#running = null;
    this.#setRunning(false);
    this.#showResult(result);
    this.#copy.offer(result);
    window.simulationResult = result;
  }

  /** @returns {import('./simulation.js').Listener} */
  #listener() {
    return {
      log: (text, kind) => this.#pane.line(text, kind),
      onCheck: (check) => {
        this.#checks.show(check);
        const { title, state, detail } = check;
        this.#pane.line(`${state}: ${title} (${detail})`, state === 'failed' ? 'bad' : 'good');
      },
      onPhase: (phase) => this.#showPhase(phase),
      onFrame: (frame) => {
        this.#showDrawn(`frame ${frame}`);
        byId('status').textContent = `Frame ${frame} of ${this.#frames.value}`;
      },
      onFlight: (section, sections) => {
        this.#showDrawn(`section ${section}`);
        byId('status').textContent = `Section ${section} of ${sections}`;
      },
      onSection: (slot) => this.#strip.show(slot),
      onMemory: (walloc) => {
        this.#bars.walloc = walloc;
        this.#map.source = walloc.handle;
      },
      setFrameStep: (step) => {
        this.#frameStep = step;
      },
    };
  }

  /** @param {number} now */
  #tick(now) {
    if (this.#contextLost) return; // the workers sleep at the gate until it is back
    if (this.#frameStep) {
      this.#frameStep(now);
    } else {
      this.#stage.render();
      this.#bars.tick(now);
    }
  }

  /** @param {boolean} running */
  #setRunning(running) {
    this.#start.disabled = running;
    this.#stop.disabled = !running;
    for (const field of [this.#workers, this.#workload, this.#frames, this.#sections])
      field.disabled = running;
    byId('stage-note').hidden = true;
    this.#showStatus(running ? 'Running' : 'Ready');
    if (running) this.#stop.focus();
    else this.#start.focus();
  }

  /** @param {string} text */
  #showStatus(text) {
    byId('status').textContent = text;
    byId('status').className = `status ${text.toLowerCase()}`;
  }

  /** @param {import('./simulation.js').Phase | null} current */
  #showPhase(current) {
    const items = [...byId('phases').children].map((item) => /** @type {HTMLElement} */ (item));
    const index = items.findIndex(({ dataset }) => dataset.phase === current);
    items.forEach((item, i) => {
      item.classList.toggle('done', current === null || i < index);
      if (i === index) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    });
    if (current) this.#pane.line(`Phase ${index + 1}: ${items[index].textContent}`, 'phase');
    this.#times = [];
  }

  /** @param {string} place how far the run is */
  #showDrawn(place) {
    this.#bars.tick(performance.now()); // before the tiers are reset for the next frame
    this.#times.push(performance.now());
    if (this.#times.length > TIMES_KEPT) this.#times.shift();
    const spent = this.#times[this.#times.length - 1] - this.#times[0];
    const rate = spent > 0 ? ((this.#times.length - 1) * 1000) / spent : 0;
    const isDue = this.#times.length === TIMES_KEPT && ++this.#frame % TIMES_KEPT === 0;
    if (isDue && this.#adapts) this.#stage.adapt(rate);
    byId('stage-status').textContent = `${place} · ${rate.toFixed(0)} fps`;
  }

  /** @param {import('./simulation.js').SimulationResult} result */
  #showResult({ passed, stopped, error, checks, frames, seconds }) {
    const held = checks.filter((check) => check.passed).length;
    const all = `${held} of ${checks.length} checks held`;
    const time = `${seconds.toFixed(1)} s`;
    if (stopped) this.#checks.showVerdict(`Stopped after ${frames} frames; ${all} until then`);
    else if (passed)
      this.#checks.showVerdict(`Passed: ${all}, ${frames} frames, ${time}`, 'passed');
    else this.#checks.showVerdict(`Failed: ${all}${error ? `; ${error}` : ''}`, 'failed');
    this.#showStatus(stopped ? 'Stopped' : passed ? 'Passed' : 'Failed');
    if (passed) this.#showPhase(null);
    this.#pane.line(
      stopped ? `Stopped; ${all}` : `${passed ? 'Passed' : 'Failed'}: ${all}, ${time}`,
      stopped ? 'info' : passed ? 'good' : 'bad',
    );
  }

  #visibilityChanged() {
    if (!this.#running) return;
    this.#pane.line(document.hidden ? 'The page is hidden: resting' : 'The page is back: going on');
  }

  /** @param {HTMLElement} canvas */
  #watchContext(canvas) {
    canvas.addEventListener('webglcontextlost', (event) => {
      event.preventDefault(); // asks for it back
      this.#contextLost = true;
      this.#pane.line('The graphics context was lost: waiting for it', 'bad');
    });
    canvas.addEventListener('webglcontextrestored', () => {
      this.#contextLost = false;
      this.#pane.line('The graphics context is back: all is uploaded again from shared memory');
    });
  }
}

startPage(() => void new Page(), { webgl: true });
