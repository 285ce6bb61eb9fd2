/**
 * Linear-blend skinning: a mesh of the scene tier, bent along a chain of bones, to world positions
 * and normals in the render tier.
 *
 * Pure functions of their arguments. The same numbers come out in every thread, so the page can
 * recompute any vertex that a worker has written.
 *
 * @typedef {import('../plan.js').Skinned} Skinned
 */

const BONES = 6;
const MATRIX = 12; // three rows of four

/** @param {Float64Array} out @param {number} at @param {Float64Array} a @param {Float64Array} b */
function multiply(out, at, a, b) {
  for (let row = 0; row < 12; row += 4) {
    for (let column = 0; column < 4; column++) {
      let sum = column === 3 ? a[row + 3] : 0;
      for (let i = 0; i < 3; i++) sum += a[row + i] * b[i * 4 + column];
      out[at + row + column] = sum;
    }
  }
}

/**
 * A turn about an axis through a point.
 *
 * @param {'x' | 'y' | 'z'} axis @param {number} angle
 * @param {number} x @param {number} y @param {number} z the point
 */
function turnAbout(axis, angle, x, y, z) {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const turn = {
    x: [1, 0, 0, 0, c, -s, 0, s, c],
    y: [c, 0, s, 0, 1, 0, -s, 0, c],
    z: [c, -s, 0, s, c, 0, 0, 0, 1],
  }[axis];
  const matrix = new Float64Array(MATRIX);
  const point = [x, y, z];
  for (let row = 0; row < 3; row++) {
    let moved = point[row];
    for (let i = 0; i < 3; i++) {
      matrix[row * 4 + i] = turn[row * 3 + i];
      moved -= turn[row * 3 + i] * point[i];
    }
    matrix[row * 4 + 3] = moved;
  }
  return matrix;
}

/** Where the copy is on its circle. @param {Skinned} item @param {number} time */
function placeOf(item, time) {
  const angle = item.angle + time * item.spin;
  const bob = item.height ? 0.25 * Math.sin(time * 1.3 + item.angle) : 0;
  const c = Math.cos(angle) * item.scale;
  const s = Math.sin(angle) * item.scale;
  // Facing along the circle: the model's x axis lies on the tangent.
  return Float64Array.of(
    -s, 0, c, item.radius * Math.cos(angle),
    0, item.scale, 0, item.height + bob,
    -c, 0, -s, -item.radius * Math.sin(angle),
  ); // prettier-ignore
}

/**
 * The matrix of each bone at a time, one behind the other.
 *
 * @param {Skinned} item
 * @param {number} time in seconds
 * @returns {Float64Array}
 */
export function boneMatrices(item, time) {
  const bones = new Float64Array(BONES * MATRIX);
  let parent = placeOf(item, time);
  for (let bone = 0; bone < BONES; bone++) {
    const along = bone / BONES;
    const wave = item.bend * Math.sin(time * 3 + item.angle * 3 - bone * 0.9);
    const [x, y] = item.spine === 'x' ? [along - 0.5, 0.3] : [0, along];
    const first = turnAbout(item.spine === 'x' ? 'y' : 'z', wave, x, y, 0);
    const second = turnAbout(item.spine === 'x' ? 'z' : 'x', wave * 0.6, x, y, 0);
    const turned = new Float64Array(MATRIX);
    multiply(turned, 0, parent, first);
    multiply(bones, bone * MATRIX, turned, second);
    parent = bones.slice(bone * MATRIX, (bone + 1) * MATRIX);
  }
  return bones;
}

/**
 * Skins the vertices `first` to `last` - 1. Each hangs on the two bones next to it.
 *
 * @param {Skinned} item
 * @param {Float64Array} bones from boneMatrices
 * @param {Float32Array} positions of the model
 * @param {Float32Array} normals of the model
 * @param {Float32Array} outPositions from its start
 * @param {Float32Array} outNormals from its start
 * @param {number} [first]
 * @param {number} [last]
 */
export function skinVertices(
  item,
  bones,
  positions,
  normals,
  outPositions,
  outNormals,
  first = 0,
  last = positions.length / 3,
) {
  const onX = item.spine === 'x';
  const m = new Float64Array(MATRIX);
  for (let from = first * 3, to = 0; from < last * 3; from += 3, to += 3) {
    const x = positions[from];
    const y = positions[from + 1];
    const z = positions[from + 2];
    const along = (onX ? x + 0.5 : y) * BONES - 0.5;
    const bone = Math.min(Math.max(Math.floor(along), 0), BONES - 2);
    const weight = Math.min(Math.max(along - bone, 0), 1);
    const a = bone * MATRIX;
    for (let i = 0; i < MATRIX; i++) {
      m[i] = bones[a + i] + (bones[a + MATRIX + i] - bones[a + i]) * weight;
    }
    outPositions[to] = m[0] * x + m[1] * y + m[2] * z + m[3];
    outPositions[to + 1] = m[4] * x + m[5] * y + m[6] * z + m[7];
    outPositions[to + 2] = m[8] * x + m[9] * y + m[10] * z + m[11];
    const nx = normals[from];
    const ny = normals[from + 1];
    const nz = normals[from + 2];
    outNormals[to] = m[0] * nx + m[1] * ny + m[2] * nz;
    outNormals[to + 1] = m[4] * nx + m[5] * ny + m[6] * nz;
    outNormals[to + 2] = m[8] * nx + m[9] * ny + m[10] * nz;
  }
}
