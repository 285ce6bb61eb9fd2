// What the demo pages leave in `window` for the tests, and modules that come without types.

interface Window {
  simulationResult?: import('./simulation/simulation.js').SimulationResult;
  stressResult?: import('./stress/main.js').StressResult;
  memoryResult?: import('./memory/main.js').MemoryResult;
  /** Of the pages whose result is nothing but data. */
  demoResult?: any;
}

interface ImportMeta {
  /** Vite's: the files that match, by path. */
  glob(pattern: string[], options: object): Record<string, () => Promise<string>>;
}

declare module '*.css';
