import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportingFailures } from './failure.mjs';
import { run } from './launch.mjs';
import { prepare, root } from './prepare.mjs';
import { JEST, JEST_FLAGS, jestArguments, KUBERNETES } from './suites.mjs';

const USAGE = `Usage: npm run e2e [-- <part of a file's name>...] [-- --testNamePattern=<pattern>]

Runs the scenarios on the cluster that KUBECONFIG names, or those whose files are named: tests/e2e/src/kubernetes.
They install the operator, and make clusters in namespaces of their own.

  RINGLEADER_E2E_IMAGE           the image of all services, which the nodes can pull or have
  RINGLEADER_E2E_NEXT_IMAGE      another one, for the rolling upgrade (default: the same name with "-next")
  RINGLEADER_E2E_POSTGRES_IMAGE  default: what the operator takes
  RINGLEADER_E2E_NATS_IMAGE      default: what the operator takes
  RINGLEADER_E2E_GATEWAY         where a gateway is reached (default: the port of the Service on a node)
  RINGLEADER_E2E_NAMESPACE       default: ringleader-e2e`;

/** Limits are those of a cluster of machines, whatever else this one does. */
const LIMITS = { TEST_SLOWNESS: process.env.TEST_SLOWNESS ?? '1' };

/** Gives the exit code. */
export async function runScenarios(args, given = {}) {
  const env = { ...LIMITS, ...given };
  const result = join(tmpdir(), `ringleader-e2e-${process.pid}.json`);
  // By name, since Jest takes whatever follows its patterns of files for more of them.
  const files = args.map((arg) => (arg.startsWith('-') ? arg : `--testPathPatterns=${arg}`));
  return run(JEST, [...jestArguments(KUBERNETES, result), ...files], { flags: JEST_FLAGS, cwd: root, env });
}

export async function main(args) {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  await prepare(['libs/testing/local-cluster', 'apps/operator']);
  return runScenarios(args);
}

if (process.argv[1] === import.meta.filename) {
  await reportingFailures('The scenarios cannot run', () => main(process.argv.slice(2)));
}
