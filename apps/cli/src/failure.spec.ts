import { describe, expect, it } from '@jest/globals';
import { CliFailure, EXIT, formatOf } from './failure.js';

describe('a failure', () => {
  it('is a sentence, with the code that the cluster gave and the key that it is of', () => {
    expect(new CliFailure('It is late.').line('text')).toBe('It is late.');
    const refused = new CliFailure('The key has a revision.', { code: 'PRECONDITION_FAILED', status: 412 });
    expect(refused.line('text')).toBe('PRECONDITION_FAILED: The key has a revision.');
    expect(refused.line('text', 'a\tb')).toBe('"a\\tb": PRECONDITION_FAILED: The key has a revision.');
    expect(new CliFailure('UNKNOWN', { code: 'UNKNOWN' }).line('text')).toBe('UNKNOWN');
  });

  it('is an object for a program, whose code is never missing', () => {
    const options = { code: 'INTERNAL', status: 500, requestId: 'abc' };
    expect(JSON.parse(new CliFailure('It failed.', options).line('json', 'k'))).toEqual({
      ...{ key: 'k', code: 'INTERNAL', message: 'It failed.', status: 500, requestId: 'abc' },
    });
    const codes = Object.values(EXIT)
      .filter((exitCode) => exitCode !== EXIT.ok)
      .map(
        (exitCode) => (JSON.parse(new CliFailure('No.', { exitCode }).line('json')) as { code: string }).code,
      );
    expect(codes.join()).toBe(
      'FAILED,INVALID_ARGUMENT,KEY_NOT_FOUND,PRECONDITION_FAILED,UNAVAILABLE,OUTCOME_UNKNOWN,COMPACTED,STOPPED',
    );
  });

  it.each<[string, 'text' | 'json']>([
    ['get k', 'text'],
    ['get k -o text', 'text'],
    ['get k -o json', 'json'],
    ['-ojson get k', 'json'],
    ['--format json get', 'json'],
    ['get --format=json', 'json'],
    ['get k -o json -o text', 'text'],
    ['get k -o json --format=text', 'text'],
    ['-otext get k --format json', 'json'],
    ['put -- -o json', 'text'],
    ['put k json', 'text'],
  ])('of `%s` is told as %s', (args, format) => {
    expect(formatOf(args.split(' '))).toBe(format);
  });
});
