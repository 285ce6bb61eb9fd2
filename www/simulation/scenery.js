/**
 * What stands around the models: floor, backdrop, plinths, shadows, and the materials of everything.
 *
 * Colours tell where the bytes come from, on the stage as in the bars: green is the scene tier, blue
 * the render tier, amber the entity tier. Page only.
 */
import matcapRender from '@pmndrs/assets/matcaps/0278.webp.js';
import matcapScene from '@pmndrs/assets/matcaps/0132.webp.js';
import {
  AdditiveBlending,
  BackSide,
  CanvasTexture,
  Color,
  CylinderGeometry,
  DataTexture,
  Float32BufferAttribute,
  LinearFilter,
  Mesh,
  MeshBasicMaterial,
  MeshMatcapMaterial,
  OctahedronGeometry,
  PlaneGeometry,
  PointsMaterial,
  RGBAFormat,
  RepeatWrapping,
  RingGeometry,
  SRGBColorSpace,
  TextureLoader,
} from 'three';

export const BACKGROUND = new Color(0x0a0f18);
const FLOOR_RADIUS = 11;
const BACKDROP_RADIUS = 17;

/** @param {string} address */
async function loadMatcap(address) {
  const texture = await new TextureLoader().loadAsync(address);
  texture.colorSpace = SRGBColorSpace;
  return texture;
}

/** The materials of everything made of vertices. */
export async function createMaterials() {
  const [scene, render] = await Promise.all([loadMatcap(matcapScene), loadMatcap(matcapRender)]);
  return {
    scene: new MeshMatcapMaterial({ matcap: scene, color: 0xc8ffe8 }),
    render: new MeshMatcapMaterial({ matcap: render }),
    entity: new PointsMaterial({
      color: 0xffa53a,
      size: 0.11,
      map: new CanvasTexture(drawSoftDot('255, 255, 255')),
      blending: AdditiveBlending,
      depthWrite: false,
      transparent: true,
    }),
  };
}

/** @param {string} rgb @returns {HTMLCanvasElement} a disc that fades out */
function drawSoftDot(rgb) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2D canvas');
  const gradient = context.createRadialGradient(32, 32, 0, 32, 32, 32);
  gradient.addColorStop(0, `rgba(${rgb}, 1)`);
  gradient.addColorStop(0.35, `rgba(${rgb}, 0.55)`);
  gradient.addColorStop(1, `rgba(${rgb}, 0)`);
  context.fillStyle = gradient;
  context.fillRect(0, 0, 64, 64);
  return canvas;
}

/** A floor that fades into the background at its rim. */
function createFloor() {
  const geometry = new RingGeometry(0.001, FLOOR_RADIUS, 72, 12);
  const { position, uv } = geometry.attributes;
  const fade = new Float32Array(position.count * 4);
  for (let i = 0; i < position.count; i++) {
    const radius = Math.hypot(position.getX(i), position.getY(i)) / FLOOR_RADIUS;
    fade.set([1, 1, 1, Math.max(0, 1 - radius ** 2.2)], i * 4);
    uv.setXY(i, position.getX(i) / 12 + 0.5, position.getY(i) / 12 + 0.5);
  }
  geometry.setAttribute('color', new Float32BufferAttribute(fade, 4));
  const material = new MeshBasicMaterial({
    color: 0x18222f,
    vertexColors: true,
    transparent: true,
  });
  const floor = new Mesh(geometry, material);
  floor.rotation.x = -Math.PI / 2;
  floor.renderOrder = -2;
  return floor;
}

/** The inside of a cylinder, fading at top and bottom. */
function createBackdrop() {
  const height = 13;
  const geometry = new CylinderGeometry(BACKDROP_RADIUS, BACKDROP_RADIUS, height, 64, 8, true);
  const { position } = geometry.attributes;
  const fade = new Float32Array(position.count * 4);
  for (let i = 0; i < position.count; i++) {
    const up = position.getY(i) / height + 0.5;
    fade.set([1, 1, 1, Math.sin(Math.PI * up) ** 1.5 * 0.9], i * 4);
  }
  geometry.setAttribute('color', new Float32BufferAttribute(fade, 4));
  const material = new MeshBasicMaterial({
    color: 0x121b28,
    side: BackSide,
    vertexColors: true,
    transparent: true,
    depthWrite: false,
  });
  const backdrop = new Mesh(geometry, material);
  backdrop.position.y = 4;
  backdrop.renderOrder = -3;
  return backdrop;
}

/** A plinth of height 1 and radius 1, to be scaled. */
export class Plinths {
  #geometry = new CylinderGeometry(1, 1.04, 1, 56).translate(0, -0.5, 0);
  #top = new MeshBasicMaterial({ color: 0x1c2735 });
  #side = new MeshBasicMaterial({ color: 0x2b3a4d });
  #shadowGeometry = new PlaneGeometry(1, 1).rotateX(-Math.PI / 2);
  #shadow = new MeshBasicMaterial({
    map: new CanvasTexture(drawSoftDot('0, 0, 0')),
    transparent: true,
    depthWrite: false,
    opacity: 0.75,
  });

  get side() {
    return this.#side;
  }

  /** @param {number} radius @param {number} height */
  create(radius, height) {
    const plinth = new Mesh(this.#geometry, [this.#side, this.#top, this.#top]);
    plinth.scale.set(radius, height, radius);
    plinth.position.y = height;
    return plinth;
  }

  /** @param {number} radius */
  createShadow(radius) {
    const shadow = new Mesh(this.#shadowGeometry, this.#shadow);
    shadow.scale.setScalar(radius * 2);
    shadow.renderOrder = -1;
    return shadow;
  }
}

/** Floor, backdrop and plinths, with the textures of the scene tier on them. */
export class Scenery {
  floor = createFloor();
  backdrop = createBackdrop();
  plinths = new Plinths();
  gem = new OctahedronGeometry(1);

  /** @type {Map<string, DataTexture>} */
  #textures = new Map();

  /**
   * Shows texels of the shared memory. They are uploaded at the next drawing, straight from there.
   *
   * @param {string} name of a texture in the plan
   * @param {Uint32Array} texels
   * @param {number} width
   * @param {number} height rows to upload; the texture may have more
   */
  setTexture(name, texels, width, height) {
    const bytes = new Uint8Array(texels.buffer, texels.byteOffset, width * height * 4);
    let texture = this.#textures.get(name);
    if (!texture) {
      texture = new DataTexture(bytes, width, height, RGBAFormat);
      texture.colorSpace = SRGBColorSpace;
      texture.wrapS = texture.wrapT = RepeatWrapping;
      texture.magFilter = texture.minFilter = LinearFilter;
      this.#textures.set(name, texture);
    }
    texture.image.data = bytes;
    texture.needsUpdate = true;
    const material = this.#materialOf(name);
    material.map = texture;
    material.color.setScalar(1);
    material.needsUpdate = true;
  }

  /** Forgets the textures: what they were uploaded from may be recycled. */
  dropTextures() {
    for (const [name, texture] of this.#textures) {
      const material = this.#materialOf(name);
      material.map = null;
      material.color.set(0x1a2533);
      material.needsUpdate = true;
      texture.dispose();
    }
    this.#textures.clear();
  }

  /** @param {string} name @returns {MeshBasicMaterial} */
  #materialOf(name) {
    if (name === 'plinth') return this.plinths.side;
    return name === 'floor' ? this.floor.material : this.backdrop.material;
  }
}
