import { reportingFailures } from './failure.mjs';
import { run } from './launch.mjs';
import { CLUSTER, prepare } from './prepare.mjs';
import { imagesHelp, parseImages } from '../images/options.mjs';

await reportingFailures('The image could not be made', async () => {
  const args = process.argv.slice(2);
  // Before minutes are spent on an installation.
  if (parseImages(args, 'unknown') === undefined) {
    console.log(imagesHelp());
    return 0;
  }
  await prepare([...CLUSTER.filter((name) => name.startsWith('apps/')), 'apps/operator', 'apps/cli']);
  return run('tools/images/images.mjs', args);
});
