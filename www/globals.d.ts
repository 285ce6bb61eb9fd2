// What the demo pages leave in `window` for the tests, and modules that come without types.

interface Window {
  simulationResult?: import('./simulation/simulation.js').SimulationResult;
  stressResult?: import('./stress/main.js').StressResult;
  memoryResult?: import('./memory/main.js').MemoryResult;
}
