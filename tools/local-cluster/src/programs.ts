import {
  localNatsServer,
  localPostgres,
  locateNatsServer,
  startChild,
  type Guardian,
  type LocalServer,
} from '@ringleader/server-processes';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFolder } from './data-folder.js';
import type { Service, ServicePlan } from './services.js';
import { StartError } from './start-error.js';
import type { Program } from './supervisor.js';

/** Every service promises to end within five seconds of SIGTERM. */
const SERVICE_GRACE_MS = 8_000;

export interface Surroundings {
  /** The checkout: its built services and its tools. */
  readonly root: string;
  readonly folder: DataFolder;
  readonly guardian: Guardian;
  /** Of this process; services get only what they need of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

function serverProgram(service: Service, server: LocalServer, guardian: Guardian): Program {
  return {
    service,
    member: server.name,
    port: server.port,
    url: server.url,
    logFile: server.logFile,
    launch: () => server.launch(guardian),
    shutdown: (child) => server.shutdown(child),
  };
}

export async function natsProgram(
  { root, folder, guardian, environment }: Surroundings,
  port: number,
): Promise<Program> {
  const toolsDir = join(root, '.tools');
  const program = await locateNatsServer({ searchPath: environment['PATH'], toolsDir });
  const name = 'nats-server';
  const dir = join(folder.path, 'nats');
  const server = await localNatsServer(program, {
    name,
    dir,
    port,
    logFile: join(folder.logs, `${name}.log`),
  });
  return serverProgram('nats-server', server, guardian);
}

export async function postgresProgram(
  { folder, guardian }: Surroundings,
  index: number,
  port: number,
): Promise<Program> {
  const name = `postgres-${index}`;
  const logFile = join(folder.logs, `${name}.log`);
  const server = await localPostgres({ name, dir: join(folder.path, name), port, logFile });
  return serverProgram('postgres', server, guardian);
}

/** What a service sees of the starter's environment: how to find programs, and settings of Ringleader's own. */
function inherited(environment: Surroundings['environment']): Record<string, string | undefined> {
  const names = Object.keys(environment).filter((name) => name.startsWith('RINGLEADER_'));
  return Object.fromEntries(['PATH', 'HOME', 'TZ', ...names].map((name) => [name, environment[name]]));
}

export async function serviceProgram(
  { root, folder, guardian, environment }: Surroundings,
  plan: ServicePlan,
): Promise<Program> {
  const script = join(root, 'apps', plan.service, 'dist', 'main.js');
  if (!existsSync(script))
    throw new StartError(`${script} is missing: build the services first (npm start does).`);
  const dataDir = plan.env['RINGLEADER_DATA_DIR'];
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const env = {
    // Compiled code is kept between starts: loading the frameworks is most of what a start costs.
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'ringleader'),
    ...inherited(environment),
    ...plan.env,
  };
  const logFile = join(folder.logs, `${plan.member}.log`);
  return {
    service: plan.service,
    member: plan.member,
    port: plan.port,
    url: `http://127.0.0.1:${plan.port}`,
    logFile,
    launch: () =>
      startChild(
        {
          name: plan.member,
          command: process.execPath,
          args: [script],
          env,
          cwd: root,
          logFile,
          lifeline: true,
        },
        guardian,
      ),
    shutdown: async (child) => {
      await child.stop('SIGTERM', SERVICE_GRACE_MS);
    },
  };
}
