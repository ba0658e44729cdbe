import { describe, expect, it } from '@jest/globals';
import { Admission } from './admission.js';

const enter = (admission: Admission, client: string, bytes = 0): string =>
  admission.enter({ client, bytes })?.code ?? 'admitted';

describe('Admission', () => {
  it('bounds the requests of all', () => {
    const admission = new Admission({ requestsMax: 2, bytesMax: 100, clientRequestsMax: 9 });
    expect(['a', 'b', 'c'].map((client) => enter(admission, client))).toEqual([
      'admitted',
      'admitted',
      'OVERLOADED',
    ]);
    admission.leave({ client: 'a', bytes: 0 });
    expect(enter(admission, 'c')).toBe('admitted');
    expect([admission.inFlight, admission.requestsTotal]).toEqual([2, 4]);
  });

  it('bounds their bytes', () => {
    const admission = new Admission({ requestsMax: 9, bytesMax: 100, clientRequestsMax: 9 });
    expect([60, 60, 40].map((bytes) => enter(admission, 'a', bytes))).toEqual([
      'admitted',
      'OVERLOADED',
      'admitted',
    ]);
    admission.leave({ client: 'a', bytes: 60 });
    expect(enter(admission, 'a', 60)).toBe('admitted');
  });

  it('bounds the requests of one client', () => {
    const admission = new Admission({ requestsMax: 9, bytesMax: 100, clientRequestsMax: 1 });
    expect(['a', 'a', 'b'].map((client) => enter(admission, client))).toEqual([
      'admitted',
      'RATE_LIMITED',
      'admitted',
    ]);
    admission.leave({ client: 'a', bytes: 0 });
    expect(enter(admission, 'a')).toBe('admitted');
  });

  it('admits nothing while memory is short', () => {
    let isShort = true;
    const admission = new Admission({ requestsMax: 9, bytesMax: 100, clientRequestsMax: 9 }, () => isShort);
    expect(enter(admission, 'a')).toBe('OVERLOADED');
    isShort = false;
    expect(enter(admission, 'a')).toBe('admitted');
  });
});
