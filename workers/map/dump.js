/**
 * Dumps: snapshots as JSON, for files. docs/map.md describes the format.
 *
 * @typedef {import('./snapshot.js').Snapshot} Snapshot
 */

/** A page number and a count need no line of their own. @param {Snapshot} snapshot */
export function writeDump(snapshot) {
  const { runs, ...rest } = snapshot;
  const head = JSON.stringify(rest, null, 1).slice(0, -2);
  return `${head},\n "runs": [\n${runs.map((run) => `  ${JSON.stringify(run)}`).join(',\n')}\n ]\n}\n`;
}

/** @param {unknown} value @returns {value is number} */
const isCount = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

/**
 * Throws an Error that says what is wrong with it.
 *
 * @param {string} text
 * @returns {Snapshot}
 */
export function readDump(text) {
  const dump = JSON.parse(text);
  if (dump?.format !== 'walloc-map') throw new Error('this is no dump of a memory map');
  if (dump.version !== 1) throw new Error(`its version is ${dump.version}, not 1`);
  const { pageSize, runs, arenas, memory } = dump;
  const sound =
    isCount(pageSize) &&
    pageSize > 0 &&
    Array.isArray(runs) &&
    runs.every((run) => Array.isArray(run) && run.length === 3 && run.every(isCount)) &&
    Array.isArray(arenas) &&
    arenas.every(
      (arena) => Array.isArray(arena?.chunks) && Array.isArray(arena.lanes) && isCount(arena.used),
    ) &&
    isCount(memory?.obtained);
  if (!sound) throw new Error('parts of it are missing or damaged');
  return dump;
}
