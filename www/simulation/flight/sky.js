/**
 * The evening that the flight leads through: sky, sun, haze and river. All of it goes along with the camera.
 * Page only.
 */
import {
  BackSide,
  Color,
  DirectionalLight,
  Fog,
  Group,
  HemisphereLight,
  Mesh,
  MeshBasicMaterial,
  PlaneGeometry,
  ShaderMaterial,
  SphereGeometry,
  Vector3,
} from 'three';
import { LIVE_AHEAD, SECTION_LENGTH } from './plan.js';

/** What the far land fades into: the sky just above the horizon. */
const HAZE = new Color(0xc97b8a);
const ZENITH = new Color(0x161c4a);
const SUN = new Color(0xffc287);
const TOWARDS_SUN = new Vector3(0.34, 0.15, -1).normalize();

/** Metres at which land is all haze: before the last live section ends. */
const FAR = LIVE_AHEAD * SECTION_LENGTH;

const VERTEX = `
  varying vec3 direction;
  void main() {
    direction = position;
    gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
  }`;

const FRAGMENT = `
  uniform vec3 haze, zenith, sun, towardsSun;
  varying vec3 direction;
  void main() {
    vec3 d = normalize(direction);
    float up = max(d.y, 0.0);
    float near = max(dot(d, towardsSun), 0.0);
    vec3 colour = mix(haze, zenith, 1.0 - exp(-up * 4.2));
    colour += sun * (0.34 * pow(near, 9.0) + 0.3 * pow(near, 90.0)) * smoothstep(-0.02, 0.1, d.y);
    colour = mix(colour, vec3(1.0, 0.93, 0.8), smoothstep(0.9986, 0.9991, near));
    gl_FragColor = vec4(colour, 1.0);
    #include <colorspace_fragment>
  }`;

function createDome() {
  const material = new ShaderMaterial({
    ...{ vertexShader: VERTEX, fragmentShader: FRAGMENT, side: BackSide, depthWrite: false },
    uniforms: {
      haze: { value: HAZE },
      zenith: { value: ZENITH },
      sun: { value: SUN },
      towardsSun: { value: TOWARDS_SUN },
    },
  });
  const dome = new Mesh(new SphereGeometry(400, 32, 16), material);
  dome.renderOrder = -3;
  dome.frustumCulled = false;
  return dome;
}

export class Sky {
  fog = new Fog(HAZE, 26, FAR);
  /** What goes along with the camera. */
  group = new Group();
  /** What stays where it is. */
  lights = new Group();

  constructor() {
    const river = new Mesh(
      new PlaneGeometry(400, 2 * FAR).rotateX(-Math.PI / 2),
      new MeshBasicMaterial({ color: 0x6b4a86 }),
    );
    this.group.add(createDome(), river);
    const sun = new DirectionalLight(SUN, 2.6);
    sun.position.copy(TOWARDS_SUN);
    this.lights.add(sun, new HemisphereLight(0x9aa4ff, 0x2a1840, 1.5));
  }

  dispose() {
    for (const child of this.group.children) {
      const { geometry, material } = /** @type {Mesh<any, any>} */ (child);
      geometry.dispose();
      material.dispose();
    }
  }

  /** @param {number} x @param {number} z of the camera */
  moveTo(x, z) {
    this.group.position.set(x, 0, z);
  }
}
