/**
 * Turns a Debian package index into NDJSON for `npm run import`:
 *
 *   node tools/transfer/debian-packages.mjs > packages.ndjson              (reads `apt-cache dumpavail`)
 *   apt-cache dumpavail | node tools/transfer/debian-packages.mjs - > packages.ndjson
 *
 * One line per package: the key is `debian/<name>/<version>/<architecture>`, the value the package's whole stanza.
 * Lines come in the byte order of their keys, and keys once, as `npm run export` writes them: so an export of what was
 * imported equals this file, byte for byte.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

function source() {
  if (process.argv[2] === '-') return process.stdin;
  const apt = spawn('apt-cache', ['dumpavail'], { stdio: ['ignore', 'pipe', 'inherit'] });
  apt.once('error', (error) => {
    console.error(
      `apt-cache could not be run (${error.message}): give an index on standard input, with the argument "-".`,
    );
    process.exitCode = 1;
  });
  return apt.stdout;
}

function field(stanza, name) {
  const line = stanza.find((text) => text.startsWith(`${name}: `));
  return line?.slice(name.length + 2).trim();
}

function addStanza(packages, stanza) {
  const name = field(stanza, 'Package');
  if (name === undefined) return;
  const key = `debian/${name}/${field(stanza, 'Version') ?? ''}/${field(stanza, 'Architecture') ?? ''}`;
  packages.set(key, stanza.join('\n'));
}

async function readPackages(stream) {
  const packages = new Map();
  let stanza = [];
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    if (line !== '') {
      stanza.push(line);
      continue;
    }
    addStanza(packages, stanza);
    stanza = [];
  }
  addStanza(packages, stanza);
  return packages;
}

const packages = await readPackages(source());
const keys = [...packages.keys()].map((key) => Buffer.from(key)).sort(Buffer.compare);
for (const key of keys.map(String)) {
  const line = `${JSON.stringify({ key, value: packages.get(key) })}\n`;
  if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}
console.error(`${keys.length} packages`);
