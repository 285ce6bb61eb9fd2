/**
 * Debian packages: installed for the whole machine, or only fetched, of any suite, with nothing installed.
 *
 * Fetching uses an apt of its own (lists, status, cache in a temporary folder), which takes the mirror
 * and the keys from the machine and leaves the machine's own apt alone. It needs no root.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem, run, which } from '../run.mjs';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Installs packages, as root or by sudo without a password; says which command to run where neither works.
 *
 * @param {string[]} packages
 */
export async function install(packages) {
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const byHand = new Problem(
    `Missing: ${packages.join(', ')}. Install with this command, and run this again:\n\n    sudo ${command}\n`,
  );
  if (!which('apt-get')) throw byHand;
  const isRoot = process.getuid?.() === 0;
  if (
    !isRoot &&
    (!which('sudo') || (await run('sudo', ['-n', 'true'], { mayFail: true })).status)
  ) {
    throw byHand;
  }
  const [program, before] = isRoot ? ['apt-get', []] : ['sudo', ['-n', 'apt-get']];
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=600'];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // The machine may have sources that do not answer: what counts is whether the packages can be had.
  await run(program, [...before, ...options, 'update'], { env, mayFail: true });
  const { status, output } = await run(
    program,
    [...before, ...options, ...command.split(' ').slice(1)],
    {
      env,
      mayFail: true,
    },
  );
  if (status)
    throw new Problem(`${output.trimEnd().split('\n').slice(-8).join('\n')}\n${byHand.message}`);
}

/** The mirror that this machine's apt uses. */
async function mirror() {
  if (process.env.DEBIAN_MIRROR) return process.env.DEBIAN_MIRROR;
  if (!which('apt-get')) throw new Problem('There is no apt-get here, which fetches from Debian.');
  const format = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'];
  const { output } = await run('apt-get', format);
  const found = output.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (found) return found;
  throw new Problem(
    "No Debian mirror in this machine's apt sources: set DEBIAN_MIRROR to the address of one.",
  );
}

/** @param {string} folder */
const aptConfig = (folder) => `
Dir::State "${folder}";
Dir::State::Lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "${folder}/sources.list";
Dir::Etc::trustedparts "/dev/null";
Dir::Etc::trusted "${KEYRING}";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Debug::NoLocking "true";
`;

/** @param {string} name a package that counts as installed, so that apt does not bring it */
const installed = (name) => `Package: ${name}
Status: install ok installed
Architecture: amd64
Multi-Arch: allowed
Version: 999:1
Maintainer: none
Description: none

`;

/**
 * Fetches with an apt of its own.
 *
 * @template T
 * @param {object} request
 * @param {string} request.suite such as 'bookworm'
 * @param {string[]} request.command of apt-get, such as ['install', 'patchelf']
 * @param {string[]} [request.without] packages that are not needed here
 * @param {boolean} [request.source] source packages
 * @param {(folder: string) => Promise<T>} use what was fetched, in folder; the folder is then removed
 * @returns {Promise<T>}
 */
export async function fetchFromDebian({ suite, command, without = [], source = false }, use) {
  if (!existsSync(KEYRING))
    throw new Problem(`${KEYRING} is missing: install debian-archive-keyring.`);
  const folder = mkdtempSync(join(tmpdir(), 'walloc-apt-'));
  try {
    mkdirSync(join(folder, 'lists/partial'), { recursive: true });
    mkdirSync(join(folder, 'cache/archives/partial'), { recursive: true });
    writeFileSync(join(folder, 'status'), without.map(installed).join(''));
    writeFileSync(join(folder, 'apt.conf'), aptConfig(folder));
    const kind = source ? 'deb-src' : 'deb';
    const line = `${kind} [signed-by=${KEYRING}] ${await mirror()} ${suite} main\n`;
    writeFileSync(join(folder, 'sources.list'), line);
    const env = { APT_CONFIG: join(folder, 'apt.conf') };
    const archives = join(folder, 'cache/archives');
    await run('apt-get', ['-qq', 'update'], { env });
    const [verb, ...rest] = command;
    await run('apt-get', ['-qq', '-y', '--download-only', verb, ...rest], { env, cwd: archives });
    return await use(archives);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
