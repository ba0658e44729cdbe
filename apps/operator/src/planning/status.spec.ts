import { expect, it } from '@jest/globals';
import { compareVersions } from './status.js';

it('puts versions in the order of semver, a pre-release before its release, and texts that are none first', () => {
  const ordered = ['', 'dev', '0.9.0', '0.10.0-rc.2', '0.10.0-rc.10', '0.10.0', '0.10.0+1', '1.0.0'];
  expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
});
