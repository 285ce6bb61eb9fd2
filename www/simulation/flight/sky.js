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

const SKY = `
  uniform vec3 haze, zenith, sun, towardsSun;
  vec3 skyTowards(vec3 d) {
    float near = max(dot(d, towardsSun), 0.0);
    vec3 colour = mix(haze, zenith, 1.0 - exp(-max(d.y, 0.0) * 4.2));
    colour += sun * (0.34 * pow(near, 9.0) + 0.3 * pow(near, 90.0)) * smoothstep(-0.02, 0.1, d.y);
    return mix(colour, vec3(1.0, 0.93, 0.8), smoothstep(0.9986, 0.9991, near));
  }`;

const DOME_VERTEX = `
  varying vec3 direction;
  void main() {
    direction = position;
    gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
  }`;

const DOME_FRAGMENT = `
  ${SKY}
  varying vec3 direction;
  void main() {
    gl_FragColor = vec4(skyTowards(normalize(direction)), 1.0);
    #include <colorspace_fragment>
  }`;

const RIVER_VERTEX = `
  varying vec3 place;
  void main() {
    place = (modelMatrix * vec4(position, 1.0)).xyz;
    gl_Position = projectionMatrix * viewMatrix * vec4(place, 1.0);
  }`;

/** The sky, mirrored by small waves; the steeper one looks into it, the darker. */
const RIVER_FRAGMENT = `
  ${SKY}
  uniform float far, time;
  varying vec3 place;
  void main() {
    vec3 v = place - cameraPosition;
    float distance = length(v);
    v /= distance;
    vec2 p = place.xz;
    vec2 slope = vec2(sin(p.x * 1.7 + p.y * 0.6 + time * 1.3) + sin(p.x * 3.1 - p.y * 2.3 - time * 1.9),
                      sin(p.y * 1.3 - p.x * 0.5 + time) + sin(p.y * 2.9 + p.x * 1.9 + time * 2.1));
    vec3 normal = normalize(vec3(slope.x * 0.025, 1.0, slope.y * 0.035));
    vec3 mirrored = reflect(v, normal);
    float shine = 0.15 + 0.85 * pow(1.0 - max(dot(-v, normal), 0.0), 3.0);
    vec3 colour = mix(vec3(0.035, 0.04, 0.13), skyTowards(mirrored), shine);
    gl_FragColor = vec4(mix(colour, haze, smoothstep(0.35 * far, far, distance)), 1.0);
    #include <colorspace_fragment>
  }`;

const light = () => ({
  haze: { value: HAZE },
  zenith: { value: ZENITH },
  sun: { value: SUN },
  towardsSun: { value: TOWARDS_SUN },
});

function createDome() {
  const material = new ShaderMaterial({
    ...{ vertexShader: DOME_VERTEX, fragmentShader: DOME_FRAGMENT, uniforms: light() },
    ...{ side: BackSide, depthWrite: false },
  });
  const dome = new Mesh(new SphereGeometry(400, 32, 16), material);
  dome.renderOrder = -3;
  dome.frustumCulled = false;
  return dome;
}

function createRiver() {
  const material = new ShaderMaterial({
    ...{ vertexShader: RIVER_VERTEX, fragmentShader: RIVER_FRAGMENT },
    uniforms: { ...light(), far: { value: FAR }, time: { value: 0 } },
  });
  const river = new Mesh(new PlaneGeometry(400, 2 * FAR).rotateX(-Math.PI / 2), material);
  river.frustumCulled = false;
  return river;
}

export class Sky {
  fog = new Fog(HAZE, 26, FAR);
  /** What goes along with the camera. */
  group = new Group();
  /** What stays where it is. */
  lights = new Group();
  #river = createRiver();

  constructor() {
    this.group.add(createDome(), this.#river);
    const sun = new DirectionalLight(SUN, 2.6);
    sun.position.copy(TOWARDS_SUN);
    this.lights.add(sun, new HemisphereLight(0xa9b0ff, 0x3a2050, 1.9));
  }

  dispose() {
    for (const child of this.group.children) {
      const { geometry, material } = /** @type {Mesh<any, any>} */ (child);
      geometry.dispose();
      material.dispose();
    }
  }

  /** @param {number} x @param {number} z of the camera @param {number} time in seconds */
  moveTo(x, z, time) {
    this.group.position.set(x, 0, z);
    this.#river.material.uniforms.time.value = time;
  }
}
