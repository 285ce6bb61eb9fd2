/**
 * The live map's page.
 *
 * Query parameters: autostart=1, workers=1..8. When it has been stopped, `window.demoResult` holds the last
 * snapshot and the totals.
 */
import '../../workers/map/element.js';
import { writeDump } from '../../workers/map/dump.js';
import { Chart } from '../shared/chart.js';
import { ResultCopy, Settings, byId, showMode, startPage } from '../shared/page.js';
import { Activity, MEMORY } from './activity.js';
import { Statistics } from './statistics.js';

/** @typedef {import('../../workers/map/element.js').WallocMap} WallocMap */

const MIB = 2 ** 20;
const CHART_PERIOD = 250;

/** After how long without a frame the page says so, in milliseconds. */
const SILENCE = 500;

const TIERS = [
  { label: 'render', colour: '--render' },
  { label: 'scene', colour: '--scene' },
  { label: 'entity', colour: '--entity' },
];

class Page {
  #settings = new Settings(['workers']);
  #copy = new ResultCopy();
  #map = /** @type {WallocMap} */ (byId('map'));
  #rates = new Chart(byId('rates'), { x: 'seconds', y: 'MiB/s', lines: TIERS });
  #peaks = new Chart(byId('peaks'), {
    x: 'MiB',
    y: 'frames',
    lines: [{ label: 'frames', colour: '--render', bars: true }],
  });
  #totals = new Chart(byId('totals'), {
    x: 'seconds',
    y: 'GiB, growths',
    lines: [
      { label: 'GiB recycled', colour: '--accent' },
      { label: 'growths', colour: '--bad', step: true },
    ],
  });
  /** @type {Activity | null} */
  #activity = null;
  #statistics = new Statistics();
  #snapshots = 0;
  #lastFrame = 0;
  #lastChart = 0;

  constructor() {
    byId('controls').addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.#activity) void this.#run();
    });
    byId('controls').addEventListener('input', () => this.#showMode());
    byId('stop').addEventListener('click', () => this.#stop());
    byId('hang').addEventListener('click', () => this.#hang());
    byId('dump').addEventListener('click', () => this.#save());
    this.#map.addEventListener('snapshot', () => this.#seen());
    this.#showMode();
    if (this.#settings.isAutostart) void this.#run();
  }

  #showMode() {
    showMode({ threads: this.#settings.number('workers'), maximum: MEMORY.maximum / MIB });
  }

  async #run() {
    delete window.demoResult;
    this.#setRunning(true);
    this.#verdict('Running');
    this.#statistics = new Statistics();
    this.#snapshots = 0;
    try {
      this.#activity = await Activity.start(this.#settings.number('workers'));
      this.#map.source = this.#activity.handle;
      byId('hang').disabled = false;
      await this.#frames(this.#activity);
    } catch (error) {
      if (this.#activity && !this.#activity.isHanging) this.#verdict(`Failed: ${error}`, 'failed');
      else if (!this.#activity) this.#verdict(`Failed: ${error}`, 'failed');
      this.#stop();
    }
  }

  /** Until it is stopped. @param {Activity} activity */
  async #frames(activity) {
    while (this.#activity === activity) {
      const peak = await activity.fillFrame().catch((error) => {
        if (this.#activity === activity) throw error; // else it was stopped
        return null;
      });
      if (peak === null) return;
      this.#statistics.addPeak(peak);
      this.#lastFrame = performance.now();
      byId('frames').textContent = activity.frames.toLocaleString('en');
      await new Promise(requestAnimationFrame);
      if (this.#activity === activity && !activity.isHanging) activity.throwAway();
    }
  }

  #hang() {
    this.#activity?.hang();
    byId('hang').disabled = true;
    this.#verdict('All workers hang. The map still reads the memory.');
  }

  /** A snapshot was taken. */
  #seen() {
    if (!this.#activity || !this.#map.snapshots.length) return;
    const snapshot = /** @type {import('./statistics.js').Snapshot} */ (this.#map.snapshots.at(-1));
    this.#statistics.add(snapshot);
    this.#snapshots++;
    const now = performance.now();
    const silent = now - this.#lastFrame > SILENCE && this.#lastFrame > 0;
    byId('status').textContent = silent ? 'No frame any more' : 'Running';
    byId('snapshots').textContent = this.#snapshots.toLocaleString('en');
    if (now - this.#lastChart < CHART_PERIOD) return;
    this.#lastChart = now;
    this.#showCharts();
  }

  #showCharts() {
    this.#rates.show(...this.#statistics.rates());
    this.#totals.show(...this.#statistics.totals());
    this.#peaks.show(...this.#statistics.histogram());
    const { recycled = 0, growths = 0 } = this.#statistics.last ?? {};
    byId('recycled').textContent = `${Math.round(recycled / MIB).toLocaleString('en')} MiB`;
    byId('growths').textContent = String(growths);
  }

  #stop() {
    const activity = this.#activity;
    this.#activity = null;
    if (activity) {
      const snapshot = this.#map.capture();
      const { recycled = 0, growths = 0 } = this.#statistics.last ?? {};
      const result = {
        workers: this.#settings.number('workers'),
        ...{ frames: activity.frames, hung: activity.isHanging, snapshots: this.#snapshots },
        ...{ recycled, growths, snapshot },
      };
      activity.stop();
      this.#map.source = null;
      this.#showCharts();
      this.#verdict(
        `Stopped after ${activity.frames} frames and ${this.#snapshots} snapshots` +
          `${activity.isHanging ? ', the last of them of a program that hung' : ''}`,
      );
      this.#copy.offer(result);
      byId('dump').disabled = false;
      window.demoResult = result;
    }
    this.#setRunning(false);
  }

  /** @param {boolean} running */
  #setRunning(running) {
    byId('start').disabled = running;
    byId('stop').disabled = !running;
    byId('hang').disabled = true;
    this.#settings.disabled = running;
    byId('status').textContent = running ? 'Starting' : 'Ready';
    byId(running ? 'stop' : 'start').focus();
  }

  /** @param {string} text @param {string} [state] */
  #verdict(text, state = '') {
    byId('verdict').className = `verdict ${state}`;
    byId('verdict').textContent = text;
  }

  #save() {
    const { snapshot } = this.#map;
    if (!snapshot) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([writeDump(snapshot)], { type: 'application/json' }));
    link.download = 'walloc-map.json';
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

startPage(() => void new Page());
