/** What must not compile: `tsc` fails on each of these lines that would. */
import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from './handles.js';

const { leaseGrant, status } = coordinatorContracts;
type Granted = ResponseOf<typeof leaseGrant>;

class Right {
  @Handles(leaseGrant)
  async grant(request: RequestOf<typeof leaseGrant>, speaker: Speaker): Promise<Granted> {
    return Promise.resolve({ leaseId: String(speaker.member).length, ttlMs: request.ttlMs });
  }

  @Handles(leaseGrant)
  short(): Granted {
    return { leaseId: 1, ttlMs: 1 };
  }
}

class Wrong {
  // @ts-expect-error the answer lacks a field
  @Handles(leaseGrant)
  answer(): { leaseId: number } {
    return { leaseId: 1 };
  }

  // @ts-expect-error the request has no such field
  @Handles(leaseGrant)
  request({ name }: { name: string }): Granted {
    return { leaseId: name.length, ttlMs: 1 };
  }

  // @ts-expect-error that is another contract's answer
  @Handles(status)
  contract(): Granted {
    return { leaseId: 1, ttlMs: 1 };
  }

  // @ts-expect-error who asks is not a number
  @Handles(leaseGrant)
  speaker(_request: RequestOf<typeof leaseGrant>, speaker: number): Granted {
    return { leaseId: speaker, ttlMs: 1 };
  }
}

describe('@Handles', () => {
  it('leaves methods callable by hand', async () => {
    const right = new Right();
    const speaker = { service: 'shard', member: 'abc' } as const;
    expect(await right.grant({ ttlMs: 500 }, speaker)).toEqual({ leaseId: 3, ttlMs: 500 });
    expect(right.short()).toEqual(new Wrong().contract());
  });
});
