/**
 * What the simulation is made of: workloads, budgets, and what stands where in the scene.
 *
 * Plain data and pure functions, read by the page and by its workers.
 *
 * @typedef {{name: string, title: string, package: string, version: string, licence: string,
 *   credit: string, file: string, bytes: number, vertices: number, triangles: number,
 *   checksum: string}} ModelEntry one entry of models/manifest.json
 *
 * @typedef {{model: string, x: number, z: number, scale: number, turn: number}} Placement
 *
 * @typedef {{model: string, radius: number, height: number, angle: number, scale: number,
 *   spin: number, spine: 'x' | 'y', bend: number}} Skinned
 *   a deformed copy, rebuilt each frame: where on its circle, how fast along it (radians a second),
 *   along which axis of the model its bones lie, how far each bone bends
 *
 * @typedef {{sections: number, speed: number, rows: number, columns: number, crystals: number,
 *   movers: number, sparks: number, skinned: Skinned[]}} Flight
 *   how many level sections it leads through, and how many a second; of each section the land's grid, what
 *   stands on it and what moves above it
 *
 * @typedef {{title: string, models: string[], placements: Placement[], skinned: Skinned[],
 *   gems: number, particles: number, entities: number, frames: number, flight: Flight,
 *   backdropRows: number, pixelRatio: number}} Workload
 */

export const MIB = 1024 * 1024;

/** Frames between two resets of the entity tier. */
export const ENTITY_PERIOD = 10;
/** Frames between two compactions of the scene tier. */
export const SCENE_PERIOD = 60;

/** @type {('render' | 'scene' | 'entity')[]} */
export const TIER_NAMES = ['render', 'scene', 'entity'];

/** How the memory is set up; the same for all workloads. */
export const MEMORY = {
  maximum: 640 * MIB,
  reserve: 32 * MIB,
  tiers: {
    render: { softBudget: 20 * MIB, hardBudget: 24 * MIB, pressure: true },
    scene: { hardBudget: 256 * MIB, recycle: /** @type {const} */ ('to-mark') },
    entity: { hardBudget: 12 * MIB },
  },
};

/** The textures of each refill of the scene tier: square, 4 bytes a texel. */
export const TEXTURES = [
  { name: 'plinth', size: 1024, bytes: 4 * MIB },
  { name: 'floor', size: 2048, bytes: 16 * MIB },
  { name: 'backdrop', size: 4096, bytes: 64 * MIB },
];

/** @param {string} dragon @returns {Placement[]} */
function placements(dragon) {
  return [
    { model: dragon, x: 0, z: 0, scale: 3.4, turn: 0.35 },
    { model: 'bunny', x: -2.7, z: 1.9, scale: 1.2, turn: 0.4 },
    { model: 'suzanne', x: 2.7, z: 1.9, scale: 1.2, turn: 0.5 },
  ];
}

/** @param {number} count @returns {Skinned[]} `count` copies of two models on one circle */
function ringOfCopies(count) {
  return Array.from({ length: count }, (_, i) => ({
    model: i % 2 ? 'suzanne' : 'rabbit',
    radius: 5,
    height: 0,
    angle: (i / count) * 2 * Math.PI,
    scale: 1.15,
    spin: 0.12,
    spine: /** @type {const} */ ('y'),
    bend: 0.22,
  }));
}

/** @param {number} angle @param {number} height @returns {Skinned} */
function flyingDragon(angle, height) {
  return {
    model: 'dragon',
    radius: 4.6,
    height,
    angle,
    scale: 2,
    spin: 0.45,
    spine: 'x',
    bend: 0.16,
  };
}

/** A dragon at the head of the flight, in a space of its own that flies along. @param {string} model @returns {Skinned} */
const leadingDragon = (model) => ({
  ...{ model, radius: 0, height: 0, angle: 0, scale: 8, spin: 0 },
  ...{ spine: /** @type {const} */ ('x'), bend: 0.13 },
});

/** @type {Record<string, Workload>} */
export const WORKLOADS = {
  small: {
    title: 'Small',
    models: ['dragon-coarse', 'bunny', 'suzanne', 'rabbit'],
    placements: placements('dragon-coarse'),
    skinned: ringOfCopies(3),
    gems: 2000,
    particles: 3000,
    entities: 200,
    frames: 150,
    flight: {
      ...{ sections: 20, speed: 2.5, rows: 20, columns: 48, crystals: 60, movers: 360 },
      ...{ sparks: 700, skinned: [leadingDragon('dragon-coarse')] },
    },
    backdropRows: 256,
    pixelRatio: 0.75,
  },
  normal: {
    title: 'Normal',
    models: ['dragon', 'bunny', 'suzanne', 'rabbit'],
    placements: placements('dragon'),
    skinned: [...ringOfCopies(6), flyingDragon(0.6, 2.5)],
    gems: 2000,
    particles: 8000,
    entities: 600,
    frames: 600,
    flight: {
      ...{ sections: 40, speed: 1, rows: 32, columns: 80, crystals: 160, movers: 600 },
      ...{ sparks: 1500, skinned: [leadingDragon('dragon')] },
    },
    backdropRows: 1024,
    pixelRatio: 1.5,
  },
  large: {
    title: 'Large',
    models: ['dragon', 'dragon-fine', 'bunny', 'suzanne', 'rabbit'],
    placements: placements('dragon-fine'),
    skinned: [
      ...ringOfCopies(10),
      flyingDragon(0.6, 2.4),
      flyingDragon(2.7, 3.1),
      flyingDragon(4.8, 2.7),
    ],
    gems: 12000,
    particles: 40000,
    entities: 2000,
    frames: 1800,
    flight: {
      ...{ sections: 80, speed: 1, rows: 64, columns: 160, crystals: 400, movers: 2500 },
      ...{ sparks: 5000, skinned: [leadingDragon('dragon')] },
    },
    backdropRows: 4096,
    pixelRatio: 2,
  },
};

/**
 * Shares items out so that the workers have about the same to do: the heaviest first, each to the
 * worker with the least so far.
 *
 * @template T
 * @param {T[]} items
 * @param {number} workers
 * @param {(item: T) => number} weightOf
 * @returns {T[][]} by worker
 */
export function shareOut(items, workers, weightOf) {
  /** @type {T[][]} */
  const shares = Array.from({ length: workers }, () => []);
  const loads = new Array(workers).fill(0);
  for (const item of [...items].sort((a, b) => weightOf(b) - weightOf(a))) {
    const lightest = loads.indexOf(Math.min(...loads));
    shares[lightest].push(item);
    loads[lightest] += weightOf(item);
  }
  return shares;
}

/**
 * The part of 0 to count - 1 that is one worker's.
 *
 * @param {number} count @param {number} workers @param {number} worker
 * @returns {[number, number]} first, and behind the last
 */
export function shareOfRange(count, workers, worker) {
  return [Math.floor((count * worker) / workers), Math.floor((count * (worker + 1)) / workers)];
}
