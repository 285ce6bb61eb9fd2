/**
 * What the flight looks like: the land of the sections that are there, what the workers hand in each frame, the
 * sky, and the camera on its way.
 *
 * Page only. Land and crystals are drawn from a section's own block. Its views are let go by `removeSection`,
 * which comes before the section is recycled; so whatever is in the scene can be uploaded at any time, also
 * again after a lost context.
 */
import {
  BufferAttribute,
  BufferGeometry,
  Group,
  InstancedBufferAttribute,
  InstancedMesh,
  Mesh,
  MeshLambertMaterial,
  OctahedronGeometry,
  PerspectiveCamera,
  Scene,
} from 'three';
import { SECTION_LENGTH, sectionParts, wayAt } from './plan.js';
import { Sky } from './sky.js';

/**
 * @typedef {import('../plan.js').Flight} Flight
 * @typedef {import('../stage.js').Stage} Stage
 * @typedef {import('../frame-gate.js').BlockRecord} BlockRecord
 */

const EYE_HEIGHT = 10;
const LOOK_AHEAD = 34; // metres
const DRAGON_AHEAD = 16;
const DRAGON_HEIGHT = 5.2;
/** The dragon flies to the left of the way, its head (at the model's -x) turned so that its side is seen. */
const DRAGON_ASIDE = -3;
const DRAGON_TURN = Math.PI - 0.75;
const SPARK_SIZE = 0.15;

export class FlightWorld {
  scene = new Scene();
  camera = new PerspectiveCamera(56, 16 / 9, 0.5, 500);
  #stage;
  #flight;
  #blocks;
  #sky = new Sky();
  #land = new MeshLambertMaterial({ vertexColors: true });
  #crystal = new MeshLambertMaterial({ color: 0xc9a0ff, emissive: 0x4a1f9a });
  #crystalShape = new OctahedronGeometry(1);
  #dragon = new Group();
  /** By arena of the ring. @type {Map<number, {land: Mesh, crystals: InstancedMesh}>} */
  #sections = new Map();
  #isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;

  /** @param {Stage} stage with its models placed @param {Flight} flight */
  constructor(stage, flight) {
    this.#stage = stage;
    this.#flight = flight;
    this.#blocks = stage.createActors(flight.skinned, SPARK_SIZE);
    this.#dragon.add(this.#blocks.particles);
    this.scene.fog = this.#sky.fog;
    this.scene.add(this.#sky.group, this.#sky.lights, this.#dragon, this.#blocks.group);
  }

  /** @param {number} slot @param {Float32Array} block of a section that is built */
  addSection(slot, block) {
    const parts = sectionParts(block, this.#flight);
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new BufferAttribute(parts.positions, 3));
    geometry.setAttribute('normal', new BufferAttribute(parts.normals, 3));
    geometry.setAttribute('color', new BufferAttribute(parts.colours, 3));
    geometry.setIndex(new BufferAttribute(parts.indices, 1));
    const land = new Mesh(geometry, this.#land);
    const crystals = new InstancedMesh(this.#crystalShape, this.#crystal, 0);
    crystals.instanceMatrix = new InstancedBufferAttribute(parts.crystals, 16);
    crystals.count = this.#flight.crystals;
    for (const object of [land, crystals]) {
      object.frustumCulled = false; // all that is live lies before the camera
      object.visible = false;
      this.scene.add(object);
    }
    this.#sections.set(slot, { land, crystals });
  }

  /** @param {number} slot @param {boolean} visible */
  showSection(slot, visible) {
    const section = this.#sections.get(slot);
    if (section) section.land.visible = section.crystals.visible = visible;
  }

  /** Lets go of a section's memory: before it is recycled. @param {number} slot */
  removeSection(slot) {
    const section = this.#sections.get(slot);
    if (!section) return;
    this.scene.remove(section.land, section.crystals);
    section.land.geometry.dispose();
    section.crystals.dispose();
    this.#sections.delete(slot);
  }

  /** @param {BlockRecord} record @param {Float32Array} array */
  setBlock(record, array) {
    this.#blocks.setBlock(record, array);
  }

  /** @param {number} at how far the camera is, in sections @param {number} time in seconds */
  moveCamera(at, time) {
    const z = -at * SECTION_LENGTH;
    const sway = this.#isCalm ? 0 : 1;
    const { camera } = this;
    camera.position.set(wayAt(z) + sway * 1.2 * Math.sin(time * 0.5), EYE_HEIGHT, z);
    camera.position.y += sway * 0.8 * Math.sin(time * 0.37);
    camera.lookAt(wayAt(z - LOOK_AHEAD), 5.8, z - LOOK_AHEAD);
    camera.rotateZ(sway * 0.012 * (wayAt(z - LOOK_AHEAD) - wayAt(z)));
    this.#sky.moveTo(camera.position.x, z, time);
    this.#moveDragon(z - DRAGON_AHEAD, time);
  }

  /** @param {number} z @param {number} time */
  #moveDragon(z, time) {
    const dragon = this.#dragon;
    dragon.position.set(
      wayAt(z) + DRAGON_ASIDE + 1.2 * Math.sin(time * 0.43),
      DRAGON_HEIGHT + 0.7 * Math.sin(time * 0.9),
      z,
    );
    const turn = Math.atan2(wayAt(z + 2) - wayAt(z - 2), 4);
    dragon.rotation.set(0, turn, -turn * 0.5);
    for (const copy of this.#blocks.copies) {
      copy.position.copy(dragon.position);
      copy.rotation.set(0, turn + DRAGON_TURN, -turn * 0.5);
    }
  }

  /** After a lost context: the workers' blocks would be uploaded from memory that may be recycled. */
  hide() {
    this.#blocks.hide();
  }

  dispose() {
    this.#stage.show(null);
    for (const slot of [...this.#sections.keys()]) this.removeSection(slot);
    this.#blocks.dispose();
    for (const thing of [this.#land, this.#crystal, this.#crystalShape]) thing.dispose();
    this.#sky.dispose();
  }
}
