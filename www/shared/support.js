/**
 * What the demo pages need of the browser, and what to tell a person whose browser lacks it.
 *
 * Page only. Nothing here starts anything: it looks, and returns messages.
 *
 * @typedef {{id: string, title: string, explanation: string, advice: string[]}} Problem
 */

/**
 * A module with a shared memory and one atomic operation: valid only where wasm threads are.
 * (memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0))))
 */
const THREADED_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65,
  0, 254, 16, 2, 0, 26, 11,
]);

/** @returns {Problem | null} */
function findIsolationProblem() {
  if (globalThis.crossOriginIsolated && typeof SharedArrayBuffer === 'function') return null;
  if (!globalThis.isSecureContext) {
    return {
      id: 'insecure',
      title: 'This page was not loaded from a secure address',
      explanation:
        'Browsers share memory between threads only on pages from https:// addresses or from localhost.',
      advice: ['Open the page by https, or from the machine that serves it as http://localhost.'],
    };
  }
  if (globalThis.crossOriginIsolated) {
    return {
      id: 'shared-memory',
      title: 'This browser has no SharedArrayBuffer',
      explanation: 'Walloc shares one memory between all threads; that is what it is made of.',
      advice: ['Use a current Chromium, Firefox or Safari, without a policy that turns it off.'],
    };
  }
  return {
    id: 'isolation',
    title: 'This page is not cross-origin isolated',
    explanation:
      'Browsers hand out shared memory (SharedArrayBuffer) only to pages whose server sends two ' +
      'headers. This server does not send them, or the page is shown inside a frame of one that does not.',
    advice: [
      'Cross-Origin-Opener-Policy: same-origin',
      'Cross-Origin-Embedder-Policy: require-corp',
      'Start the page with "npm start": its server sends both.',
    ],
  };
}

/** @returns {Problem | null} */
function findThreadsProblem() {
  if (typeof WebAssembly === 'object' && WebAssembly.validate(THREADED_MODULE)) return null;
  return {
    id: 'wasm-threads',
    title: 'This browser has no WebAssembly threads',
    explanation:
      'Walloc is a WebAssembly module on shared memory with atomic operations. This browser cannot run such modules.',
    advice: [
      'Use Chromium 74, Firefox 79 or Safari 14.1, or newer.',
      'Some browsers turn WebAssembly off in their strictest security modes.',
    ],
  };
}

/** @returns {Problem | null} */
function findWebGlProblem() {
  const context = document.createElement('canvas').getContext('webgl2');
  if (context) {
    context.getExtension('WEBGL_lose_context')?.loseContext(); // browsers allow only a few at a time
    return null;
  }
  return {
    id: 'webgl2',
    title: 'This browser offers no WebGL2',
    explanation: 'The simulation draws its scene straight from shared memory with WebGL2.',
    advice: [
      'Turn on hardware acceleration in the settings of the browser, or update the graphics driver.',
      'In Chromium, chrome://gpu tells why WebGL2 is off; in Firefox, about:support.',
    ],
  };
}

/**
 * Everything that is missing here, each with what to do about it.
 *
 * @param {{webgl?: boolean}} [needs]
 * @returns {Problem[]}
 */
export function findProblems({ webgl = false } = {}) {
  const found = [findIsolationProblem(), findThreadsProblem(), webgl ? findWebGlProblem() : null];
  return found.filter((problem) => problem !== null);
}

/**
 * Puts the problems in place of what the page would have shown.
 *
 * @param {HTMLElement} place
 * @param {Problem[]} problems
 */
export function showProblems(place, problems) {
  const sections = problems.map((problem) => {
    const section = document.createElement('section');
    section.className = 'problem';
    section.dataset.problem = problem.id;
    const title = document.createElement('h2');
    title.textContent = problem.title;
    const explanation = document.createElement('p');
    explanation.textContent = problem.explanation;
    const advice = document.createElement('ul');
    for (const text of problem.advice) {
      const item = document.createElement('li');
      item.textContent = text;
      advice.append(item);
    }
    section.append(title, explanation, advice);
    return section;
  });
  place.setAttribute('role', 'alert');
  place.replaceChildren(...sections);
}
