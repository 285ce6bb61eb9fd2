/**
 * ESLint: mistakes only; the format is Prettier's, the types are TypeScript's.
 */
import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['build/', 'types/', 'www/public/'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: 'module' },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-implicit-coercion': 'error',
      'no-shadow': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', 600],
    },
  },
  {
    files: ['workers/**', 'www/**', 'examples/bundlers/**'],
    languageOptions: { globals: { ...globals.browser, ...globals.worker } },
  },
  {
    files: [
      'scripts/**',
      'tests/**',
      'bench/**',
      'examples/**',
      'trace/**',
      '*.mjs',
      'workers/map/cli.mjs',
    ],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
];
