/** The grid that the sea is, known to the page and to the worker. */
export const SIDE = 96;
export const VERTICES = SIDE * SIDE;

/** Two triangles for each square of the grid. */
export function indices() {
  const triangles = [];
  for (let z = 0; z < SIDE - 1; z++) {
    for (let x = 0; x < SIDE - 1; x++) {
      const at = z * SIDE + x;
      triangles.push(at, at + SIDE, at + 1, at + 1, at + SIDE, at + SIDE + 1);
    }
  }
  return triangles;
}
