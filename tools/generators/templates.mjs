/** What each generator writes: pure functions from a name to files, and to the lines other files need. */

export function pascalCase(name) {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_match, letter) => letter.toUpperCase());
}

export function camelCase(name) {
  const pascal = pascalCase(name);
  return pascal[0].toLowerCase() + pascal.slice(1);
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

function packageFiles({ layer, name, dependencies, references }) {
  return {
    'package.json': json({
      name: `@ringleader/${name}`,
      version: '0.1.0',
      private: true,
      type: 'module',
      exports: {
        '.': {
          '@ringleader/source': './src/index.ts',
          types: './dist/index.d.ts',
          default: './dist/index.js',
        },
      },
      nx: { tags: [`layer:${layer}`, `scope:${name}`] },
      dependencies,
    }),
    'tsconfig.json': json({
      extends: '../../../tsconfig.base.json',
      compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/tsconfig.tsbuildinfo' },
      include: ['src/**/*.ts'],
      exclude: [
        'src/**/*.spec.ts',
        'src/**/*.medium-spec.ts',
        'src/**/*.sim-spec.ts',
        'src/**/*.fault-spec.ts',
      ],
      references: references.map((path) => ({ path })),
    }),
  };
}

export function core(name) {
  const type = pascalCase(name);
  return {
    folder: `libs/core/${name}`,
    isPackage: true,
    files: {
      ...packageFiles({
        layer: 'core',
        name,
        dependencies: { '@ringleader/primitives': 'workspace:*' },
        references: ['../primitives'],
      }),
      'README.md': `# ${name}\n\n## Purpose\n\nWhat question this core answers, and the section of the design or paper it follows.\n\n## Invariants\n\nWhat holds after every step.\n\n## Rejected\n\nWhat else was considered, and why it is not here.\n`,
      'src/index.ts': `export { ${type}, type ${type}Ready } from './${name}.js';\n`,
      [`src/${name}.ts`]: `/**
 * The intuition of ${name} in a few sentences, and the section of the paper it comes from.
 */
import { invariant, type MonotonicMs } from '@ringleader/primitives';

/** What the shell has to do next: persist, send, apply. */
export interface ${type}Ready {
  readonly elapsedMs: number;
}

export class ${type} {
  /** Never decreases. */
  #now: MonotonicMs;

  constructor(now: MonotonicMs) {
    this.#now = now;
  }

  tick(now: MonotonicMs): ${type}Ready {
    invariant(now >= this.#now, '${name}: time went backwards');
    const elapsedMs = now - this.#now;
    this.#now = now;
    return { elapsedMs };
  }
}
`,
      [`src/${name}.spec.ts`]: `import { describe, expect, it } from '@jest/globals';
import { ${type} } from './index.js';

describe('${type}', () => {
  it('measures the time between two ticks', () => {
    expect(new ${type}(5).tick(8)).toEqual({ elapsedMs: 3 });
  });

  it('refuses time that goes backwards', () => {
    expect(() => new ${type}(5).tick(4)).toThrow('backwards');
  });
});
`,
    },
    appends: {},
  };
}

export function contract(name) {
  const value = `${camelCase(name)}Contracts`;
  return {
    folder: 'libs/contracts',
    isPackage: false,
    files: {
      [`src/control/${name}.ts`]: `/**
 * What ${name} offers over NATS.
 */
import { z } from 'zod';
import { messageContract } from '../message-contract.js';

export const ${value} = {
  status: messageContract({
    operation: 'status',
    request: z.object({}),
    response: z.object({ memberId: z.string().min(1) }),
    errors: ['UNAVAILABLE'],
    deadline: 'quick',
    askers: ['gateway'],
  }),
} as const;
`,
      [`src/control/${name}.spec.ts`]: `import { describe, expect, it } from '@jest/globals';
import { ${value} } from './${name}.js';

describe('${value}', () => {
  it('accepts a status answer and refuses one without a member', () => {
    const { response } = ${value}.status;
    expect(response.safeParse({ memberId: '${name}-1' }).success).toBe(true);
    expect(response.safeParse({}).success).toBe(false);
  });
});
`,
    },
    appends: { 'src/index.ts': `export * from './control/${name}.js';\n` },
  };
}

export function adapter(name) {
  const type = pascalCase(name);
  return {
    folder: `libs/adapters/${name}`,
    isPackage: true,
    files: {
      ...packageFiles({
        layer: 'adapter',
        name,
        dependencies: { '@ringleader/contracts': 'workspace:*' },
        references: ['../../contracts'],
      }),
      'README.md': `# ${name}\n\nThe technology this adapter hides, what it promises to its users, and how its failures are translated.\n`,
      'src/index.ts': `export { open${type}, type ${type} } from './${name}.js';\n`,
      [`src/${name}.ts`]: `/**
 * Connects to ${name}. Errors of its driver end here: they leave as operational errors of the catalogue.
 */
import { OperationalError } from '@ringleader/contracts';

export interface ${type} {
  readonly address: string;
}

export function open${type}(address: string): ${type} {
  if (address === '') throw new OperationalError('INVALID_ARGUMENT', '${name} needs an address');
  return { address };
}
`,
      [`src/${name}.spec.ts`]: `import { describe, expect, it } from '@jest/globals';
import { open${type} } from './index.js';

describe('open${type}', () => {
  it('refuses an empty address with a code of the catalogue', () => {
    expect(() => open${type}('')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
`,
    },
    appends: {},
  };
}
