/**
 * The first page: how this browser runs the others.
 */
import { byId } from '../shared/page.js';

const isolated = globalThis.crossOriginIsolated;
const cores = navigator.hardwareConcurrency;
byId('mode').textContent =
  `${isolated ? 'isolated' : 'not isolated'} · ${cores} ${cores === 1 ? 'core' : 'cores'}`;
for (const place of document.querySelectorAll('.isolation')) {
  place.textContent = isolated ? 'isolated' : 'not isolated';
}
