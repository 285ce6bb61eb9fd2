/** The style of `<walloc-map>`, within its shadow. */
export const STYLE = `
  :host { display: block; color-scheme: inherit; }
  .map { position: relative; }
  canvas { display: block; width: 100%; height: var(--walloc-map-height, 320px); cursor: crosshair; touch-action: pan-y; }
  canvas:focus-visible, button:focus-visible, input:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
  .pointer { position: absolute; box-sizing: border-box; outline: 2px solid currentColor; pointer-events: none; }
  .about, .owner { display: block; margin: 8px 0 0; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
  .about { min-height: 1.5em; }
  @media (max-width: 700px) { .about { min-height: 4.5em; } }
  .owner { min-height: 3em; overflow-wrap: anywhere; }
  .scrub { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; font-size: 0.875rem; }
  .scrub label { display: flex; flex: 1 1 180px; align-items: center; gap: 8px; }
  .scrub input { flex: 1; min-width: 0; accent-color: var(--walloc-map-accent, currentColor); }
  .when { min-width: 11em; font-variant-numeric: tabular-nums; }
  button { font: inherit; min-width: 5em; padding: 4px 10px; border: 1px solid currentColor; border-radius: 8px; background: none; color: inherit; cursor: pointer; }
  ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 2px 16px; margin: 10px 0 0; padding: 0; list-style: none; font-size: 0.8125rem; }
  li { display: flex; align-items: center; gap: 8px; }
  li i { flex: none; width: 12px; height: 12px; border-radius: 2px; }
  li b { margin-left: auto; font-weight: 600; font-variant-numeric: tabular-nums; }
  .key { grid-template-columns: repeat(auto-fill, minmax(100px, 1fr)); }
  .key i { box-sizing: border-box; background: #7c8796; }
  .key .idle { opacity: 0.35; }
  .key .preserved { border-bottom: 4px solid currentColor; }
  .key .lane { background: radial-gradient(Canvas 0 2px, #7c8796 2.5px); }
  .key .cursor { border-left: 4px solid currentColor; }
  .key .high { outline: 1.5px solid currentColor; outline-offset: -1.5px; }
`;
