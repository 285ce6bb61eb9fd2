/**
 * The stage: draws with WebGL2 what lies in shared memory.
 *
 * Page only. All vertex, instance, particle and texture data are views of the shared memory; the only
 * copy is WebGL's own upload. Blocks of the render and entity tier are valid for one frame: they are
 * handed in by setBlock and uploaded by the render call that follows.
 *
 * Models stay for a run; `clear` begins the next one. A lost context is restored by three.js from
 * the same views; what may have been recycled meanwhile is hidden until it is handed in again.
 */
import {
  BufferAttribute,
  BufferGeometry,
  Frustum,
  Group,
  Matrix4,
  Mesh,
  PerspectiveCamera,
  Scene,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { BlockActors } from './block-actors.js';
import { BACKGROUND, Scenery, createMaterials } from './scenery.js';

/**
 * @typedef {import('./plan.js').Workload} Workload
 * @typedef {import('./plan.js').Placement} Placement
 * @typedef {import('./plan.js').Skinned} Skinned
 * @typedef {import('./frame-gate.js').BlockRecord} BlockRecord
 *
 * @typedef {{scene: Scene, camera: PerspectiveCamera, hide: () => void}} View a scene of somebody else's; hide:
 *   as after a lost context, what may be recycled must not be drawn
 */

const PLINTH_HEIGHT = 0.32;

/** Frames a second below which the picture gets coarser, and above which finer again; by how much at a time. */
const TOO_SLOW = 30;
const FAST = 55;
const COARSER = 0.8;
const COARSEST = 0.4;

export class Stage {
  #renderer;
  #scene = new Scene();
  #camera = new PerspectiveCamera(38, 16 / 9, 0.1, 60);
  #controls;
  #scenery = new Scenery();
  /** @type {Awaited<ReturnType<typeof createMaterials>> | null} */
  #materials = null;
  /** Everything that belongs to the run. */
  #actors = new Group();
  /** @type {Map<string, BufferGeometry>} */
  #models = new Map();
  /** What the workers hand in each frame. @type {BlockActors | null} */
  #blocks = null;
  /** Drawn in place of the models on their plinths. @type {View | null} */
  #view = null;
  /** @type {Workload | null} */
  #workload = null;
  #sample = createSample();
  /** How much coarser than could be the picture is. */
  #coarseness = 1;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const { name, software } = findRenderer();
    /** What draws: the name of the graphics processor, or of the software in its place. */
    this.rendererName = name;
    this.isSoftware = software;
    this.#renderer = new WebGLRenderer({
      canvas,
      antialias: !software,
      powerPreference: 'high-performance',
    });
    this.#renderer.setClearColor(BACKGROUND);
    this.#scene.add(this.#scenery.backdrop, this.#scenery.floor, this.#actors);
    this.#camera.position.set(6.1, 4.3, 10.2);
    this.#controls = this.#createControls(canvas);
    canvas.addEventListener('webglcontextrestored', () => this.#hideTransient());
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  /** @param {HTMLCanvasElement} canvas */
  #createControls(canvas) {
    const controls = new OrbitControls(this.#camera, canvas);
    controls.target.set(0, 0.95, 0);
    controls.enableZoom = false; // the page scrolls
    controls.enablePan = false;
    controls.enableDamping = true;
    controls.minPolarAngle = 0.9;
    controls.maxPolarAngle = 1.52;
    controls.autoRotate = !matchMedia('(prefers-reduced-motion: reduce)').matches;
    controls.autoRotateSpeed = 0.9;
    canvas.style.touchAction = 'pan-y';
    return controls;
  }

  /** Empties the stage for a new run. @param {Workload} workload */
  clear(workload) {
    this.#workload = workload;
    this.show(null);
    this.#blocks?.dispose();
    for (const geometry of this.#models.values()) geometry.dispose();
    this.#models.clear();
    this.#actors.clear();
    this.#scenery.dropTextures();
    this.#resize();
  }

  /**
   * Makes drawable geometry of three views of shared memory.
   *
   * @param {string} name
   * @param {Float32Array} positions @param {Float32Array} normals @param {Uint32Array} indices
   * @returns {ArrayBufferView[]} the arrays that will be uploaded
   */
  addModel(name, positions, normals, indices) {
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new BufferAttribute(positions, 3));
    geometry.setAttribute('normal', new BufferAttribute(normals, 3));
    geometry.setIndex(new BufferAttribute(indices, 1));
    this.#models.set(name, geometry);
    const { position, normal } = geometry.attributes;
    return [position, normal, /** @type {BufferAttribute} */ (geometry.index)].map(
      ({ array }) => array,
    );
  }

  /** Stands the models on plinths. @param {Placement[]} placements */
  async place(placements) {
    this.#materials ??= await createMaterials();
    for (const { model, x, z, scale, turn } of placements) {
      const group = new Group();
      const mesh = new Mesh(this.#models.get(model), this.#materials.scene);
      mesh.scale.setScalar(scale);
      mesh.position.y = PLINTH_HEIGHT;
      mesh.rotation.y = turn;
      const radius = scale * 0.56;
      const shadow = this.#scenery.plinths.createShadow(radius * 1.6);
      shadow.position.y = 0.01;
      group.add(mesh, shadow, this.#scenery.plinths.create(radius, PLINTH_HEIGHT));
      group.position.set(x, 0, z);
      this.#actors.add(group);
    }
    this.#blocks = this.createActors(this.#workload?.skinned ?? []);
    this.#actors.add(this.#blocks.group, this.#blocks.particles);
  }

  /**
   * What draws the workers' blocks with the stage's materials, once models are placed.
   *
   * @param {Skinned[]} skinned
   * @param {number} [sparkSize] if not as on the stage
   */
  createActors(skinned, sparkSize) {
    if (!this.#materials) throw new Error('nothing is placed yet');
    const { render, entity } = this.#materials;
    const sparks = sparkSize ? entity.clone() : entity;
    if (sparkSize) sparks.size = sparkSize;
    return new BlockActors({
      ...{ instance: this.#scenery.gem, render, entity: sparks },
      indexOf: (item) => this.#models.get(skinned[item].model)?.index ?? null,
    });
  }

  /** Draws something else from now on; null: the models on their plinths again. @param {View | null} view */
  show(view) {
    this.#view = view;
    this.#resize();
  }

  /**
   * Draws a block from the next render call on, until the next block in its place.
   *
   * @param {BlockRecord} record
   * @param {Float32Array} array
   */
  setBlock(record, array) {
    this.#blocks?.setBlock(record, array);
  }

  /** @param {string} name @param {Uint32Array} texels @param {number} size @param {number} rows */
  setTexture(name, texels, size, rows) {
    this.#scenery.setTexture(name, texels, size, rows);
  }

  /** The planes of what the camera sees. @param {Float32Array} out 6 times x, y, z, distance */
  cullingPlanes(out) {
    const camera = this.#view?.camera ?? this.#camera;
    camera.updateMatrixWorld();
    const matrix = new Matrix4().multiplyMatrices(
      camera.projectionMatrix,
      camera.matrixWorldInverse,
    );
    new Frustum().setFromProjectionMatrix(matrix).planes.forEach(({ normal, constant }, i) => {
      out.set([normal.x, normal.y, normal.z, constant], i * 4);
    });
  }

  /** Draws. Everything that has to be uploaded is uploaded before it returns. */
  render() {
    this.#controls.update();
    if (this.#view) this.#renderer.render(this.#view.scene, this.#view.camera);
    else this.#renderer.render(this.#scene, this.#camera);
  }

  /** Draws coarser, and less, where frames take too long, down to what software can do. @param {number} rate frames a second */
  adapt(rate) {
    const factor = rate < TOO_SLOW ? COARSER : rate > FAST ? 1 / COARSER : 1;
    const coarseness = Math.min(1, Math.max(COARSEST, this.#coarseness * factor));
    if (coarseness === this.#coarseness) return;
    this.#coarseness = coarseness;
    this.#resize();
  }

  /** Which share of what could be left out is drawn where frames take too long: 1 is all of it. */
  get detail() {
    return this.#coarseness ** 2;
  }

  /** How many different colours the picture has, made small; call right after render. */
  countColours() {
    const { width, height } = this.#sample.canvas;
    this.#sample.drawImage(this.#renderer.domElement, 0, 0, width, height);
    const { data } = this.#sample.getImageData(0, 0, width, height);
    return new Set(new Uint32Array(data.buffer)).size;
  }

  /** After a restored context: these would be uploaded from memory that may be recycled. */
  #hideTransient() {
    this.#scenery.dropTextures();
    this.#blocks?.hide();
    this.#view?.hide();
  }

  #resize() {
    const canvas = this.#renderer.domElement;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return;
    const limit = Math.min(this.isSoftware ? 1 : 2, this.#workload?.pixelRatio ?? 1);
    this.#renderer.setPixelRatio(Math.min(devicePixelRatio, limit) * this.#coarseness);
    this.#renderer.setSize(width, height, false);
    this.#camera.aspect = width / height;
    this.#camera.fov = width < height * 1.2 ? 52 : 38; // portrait: step back
    this.#camera.updateProjectionMatrix();
    if (!this.#view) return;
    this.#view.camera.aspect = width / height;
    this.#view.camera.updateProjectionMatrix();
  }
}

/** A small canvas whose pixels are read. */
function createSample() {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 8;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2D canvas');
  return context;
}

/** Asked of a context of its own, because the answer decides how to make the real one. */
function findRenderer() {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl) throw new Error('no WebGL2');
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return { name, software: /swiftshader|llvmpipe|softpipe|software/i.test(name) };
}
