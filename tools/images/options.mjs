import { asksForHelp, helpOf, refuse, valuesOf } from '../bootstrap/options.mjs';

/** As a Debian has it; any other with glibc does too. */
const BASE = 'docker.io/library/debian:bookworm-slim';

/** The options of `npm run images`. */
export const IMAGE_OPTIONS = {
  image: { value: 'name', default: 'ringleader/ringleader', text: 'the image, with its registry' },
  tag: { value: 'tag', text: 'default: the version in package.json' },
  base: { value: 'image', default: BASE, text: 'what it is built on: a small Debian' },
  'load-kind': { value: 'cluster', text: 'put it into the nodes of this kind cluster' },
  push: { text: 'push it to its registry' },
};

const COMMAND = 'npm run images';

export const imagesHelp = () =>
  helpOf(COMMAND, 'Builds the image of all services, with docker.', IMAGE_OPTIONS);

/** Undefined when the command line asks for help, whatever else stands on it. */
export function parseImages(args, version) {
  if (asksForHelp(args)) return undefined;
  const given = valuesOf(COMMAND, args, IMAGE_OPTIONS);
  for (const [name, value] of Object.entries(given))
    if (value === '') refuse(COMMAND, `Option '--${name}' is empty`);
  const { image, base } = IMAGE_OPTIONS;
  const options = { image: image.default, base: base.default, tag: version, push: false, ...given };
  const { 'load-kind': kindCluster, image: name, ...others } = options;
  return { ...others, name: `${name}:${options.tag}`, kindCluster };
}
