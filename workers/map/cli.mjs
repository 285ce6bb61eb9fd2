#!/usr/bin/env node
/**
 * Draws a dump of the memory map: in the terminal, or as an SVG.
 *
 *     npx walloc-map dump.json                 letters, coloured where the terminal has colours
 *     npx walloc-map dump.json --svg map.svg   a picture; `--svg -` writes it to the standard output
 *     npx walloc-map dump.json --dark          with the colours for a dark page
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readDump } from './dump.js';
import { drawSvg } from './svg.js';
import { drawText } from './terminal.js';

const USAGE = 'Usage: walloc-map dump.json [--svg file] [--dark]';

function main() {
  const { values, positionals } = parseArgs({
    options: { svg: { type: 'string' }, dark: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (positionals.length !== 1) throw new Error(USAGE);
  const [file] = positionals;
  const dump = readDump(readFileSync(file === '-' ? 0 : file, 'utf8'));
  if (values.svg === undefined) {
    const { stdout } = process;
    const colour = stdout.isTTY && stdout.hasColors();
    stdout.write(drawText(dump, { colour, columns: stdout.columns }));
    return;
  }
  const picture = drawSvg(dump, values.dark ? 'dark' : 'light');
  if (values.svg === '-') process.stdout.write(picture);
  else writeFileSync(values.svg, picture);
}

try {
  main();
} catch (error) {
  console.error(`walloc-map: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
