/**
 * The picture: three.js draws a grid whose vertices are in shared memory. WebGL takes them from there as they
 * are: no copy is made in JavaScript.
 */
import {
  BufferAttribute,
  BufferGeometry,
  DirectionalLight,
  DynamicDrawUsage,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  Scene,
  WebGLRenderer,
} from 'three';
import { VERTICES, indices } from './grid.js';

export class Picture {
  #scene = new Scene();
  #camera = new PerspectiveCamera(45, 1, 0.1, 100);
  #renderer;
  #positions = new BufferAttribute(new Float32Array(3 * VERTICES), 3);

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: true });
    this.#positions.setUsage(DynamicDrawUsage);
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', this.#positions);
    geometry.setIndex(indices());
    const material = new MeshStandardMaterial({ color: 0x2a7fb8, flatShading: true });
    const sea = new Mesh(geometry, material);
    sea.frustumCulled = false; // its bounds change with each frame
    const light = new DirectionalLight(0xffffff, 3);
    light.position.set(3, 5, 2);
    this.#scene.add(sea, light);
    this.#camera.position.set(0, 5, 9);
    this.#camera.lookAt(0, 0, 0);
  }

  /** @param {(time: number) => void} onFrame */
  animate(onFrame) {
    this.#renderer.setAnimationLoop(onFrame);
  }

  /** Uploads the vertices and draws; done with them when it returns. @param {Float32Array} vertices */
  draw(vertices) {
    this.#positions.array = vertices;
    this.#positions.needsUpdate = true;
    this.#fit();
    this.#renderer.render(this.#scene, this.#camera);
  }

  /** The drawing buffer has the size at which the canvas is shown. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#renderer.domElement;
    this.#renderer.setSize(width, height, false);
    this.#camera.aspect = width / Math.max(height, 1);
    this.#camera.updateProjectionMatrix();
  }

  end() {
    this.#renderer.setAnimationLoop(null);
    this.#renderer.dispose();
  }
}
