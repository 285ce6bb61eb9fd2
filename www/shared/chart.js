/**
 * A chart on a page: uPlot in the page's colours, as wide as its place, of a fixed height. Page only.
 *
 * @typedef {{label: string, colour: string, bars?: boolean, step?: boolean}} Line colour: a custom property of style.css
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const HEIGHT = 180;

/** @param {string} property */
const colourOf = (property) =>
  getComputedStyle(document.documentElement).getPropertyValue(property).trim();

export class Chart {
  #plot;

  /**
   * @param {HTMLElement} place
   * @param {{x: string, y: string, lines: Line[]}} options x and y: what the axes are, with the unit
   */
  constructor(place, { x, y, lines }) {
    place.style.minHeight = `${HEIGHT + 30}px`;
    const axis = (/** @type {string} */ label) => ({
      label,
      labelSize: 18,
      size: 44,
      font: '11px system-ui, sans-serif',
      labelFont: '11px system-ui, sans-serif',
      stroke: () => colourOf('--soft'),
      grid: { stroke: () => colourOf('--line'), width: 1 },
      ticks: { show: false },
    });
    this.#plot = new uPlot(
      {
        width: place.clientWidth || 300,
        height: HEIGHT,
        cursor: { y: false },
        legend: { live: false },
        scales: {
          x: { time: false },
          y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.05 : 1] },
        },
        axes: [{ ...axis(x), size: 30 }, axis(y)],
        series: [
          { label: x },
          ...lines.map(({ label, colour, bars, step }) => ({
            label,
            width: 2,
            stroke: () => colourOf(colour),
            fill: bars ? () => colourOf(colour) : undefined,
            points: { show: false },
            paths: bars
              ? uPlot.paths.bars?.({ size: [0.9, 40] })
              : step
                ? uPlot.paths.stepped?.({ align: 1 })
                : undefined,
          })),
        ],
      },
      [[], ...lines.map(() => [])],
      place,
    );
    new ResizeObserver(() =>
      this.#plot.setSize({ width: place.clientWidth, height: HEIGHT }),
    ).observe(place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
      this.#plot.redraw(),
    );
  }

  /** @param {number[]} x @param {(number | null)[][]} lines */
  show(x, lines) {
    this.#plot.setData([x, ...lines]);
  }
}
