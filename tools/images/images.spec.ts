import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { imagesHelp, parseImages } from './options.mjs';
import { closure, PROGRAMS } from './stage.mjs';

const parse = (...args: string[]) => parseImages(args, '1.2.3');

describe('the options of npm run images', () => {
  it('have defaults', () => {
    expect(parse()).toMatchObject({
      name: 'ringleader/ringleader:1.2.3',
      push: false,
      kindCluster: undefined,
    });
  });

  it('are read as they are given', () => {
    const args = ['--image', 'registry.example.com/rl', '--tag', 'next', '--base', 'small', '--push'];
    expect(parse(...args, '--load-kind', 'dev')).toEqual({
      name: 'registry.example.com/rl:next',
      tag: 'next',
      base: 'small',
      push: true,
      kindCluster: 'dev',
    });
  });

  it.each([['--tag='], ['--bases', 'x'], ['more']])('are refused in one sentence: %j', (...args) => {
    expect(() => parse(...args)).toThrow(/^[^\n]*[^.]; see npm run images -- --help\.$/);
  });

  it('are explained', () => {
    expect(parse('--help')).toBeUndefined();
    for (const option of ['image', 'tag', 'base', 'load-kind', 'push'])
      expect(imagesHelp()).toContain(`--${option}`);
  });
});

describe('what goes into the image', () => {
  const { needed } = closure(PROGRAMS) as { needed: string[] };

  it('is the programs and what they use in production', () => {
    expect(needed).toEqual(expect.arrayContaining([...PROGRAMS, 'libs/contracts', 'libs/core/raft']));
    expect(needed.filter((folder) => /^(tests|tools|libs\/testing)/.test(folder))).toEqual([]);
  });

  it('is every service that the launcher knows', () => {
    const launcher = readFileSync(new URL('../../k8s/images/ringleader-service', import.meta.url), 'utf8');
    const services: string[] = /^(\S+( \| \S+)*)\) ;;$/m.exec(launcher)?.[1]?.split(' | ') ?? [];
    expect([...services.map((name) => `apps/${name}`), 'apps/cli'].sort()).toEqual([...PROGRAMS].sort());
  });
});
