import { describe, expect, it } from '@jest/globals';
import { decodeLeadersFrame, type Leadership } from '@ringleader/contracts';
import { LeaderAnnouncer } from './leader-announcer.js';

function announcerInto(announced: (readonly Leadership[])[]): LeaderAnnouncer {
  return new LeaderAnnouncer(
    3,
    () => 7,
    (bytes) => {
      const frame = decodeLeadersFrame(bytes);
      if (frame.kind === 'leaders') announced.push(frame.leaderships);
    },
  );
}

const leading = (partition: number, ballot: number) =>
  ({ kind: 'leading', partition, epoch: 1, ballot }) as const;
const steppedDown = (partition: number, ballot: number) =>
  ({ kind: 'steppedDown', partition, ballot, reason: 'superseded' }) as const;

describe('LeaderAnnouncer', () => {
  it('announces changes once, and all on demand', () => {
    const announced: (readonly Leadership[])[] = [];
    const announcer = announcerInto(announced);
    announcer.follow(leading(1, 65_539));
    announcer.follow(leading(2, 65_539));
    announcer.announceChanges();
    announcer.announceChanges();
    announcer.announceAll();
    expect(announced.map((leaderships) => leaderships.map(({ partition }) => partition))).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('forgets a leadership that ended, but not a later one of the same partition', () => {
    const announced: (readonly Leadership[])[] = [];
    const announcer = announcerInto(announced);
    announcer.follow(leading(1, 65_539));
    announcer.follow(leading(1, 131_075));
    announcer.follow(steppedDown(1, 65_539));
    announcer.announceAll();
    expect(announced.at(-1)).toEqual([{ partition: 1, epoch: 1, ballot: 131_075 }]);
    announcer.follow(steppedDown(1, 131_075));
    expect(announcer.count).toBe(0);
  });

  it('says nothing when there is nothing to say, and splits what is much', () => {
    const announced: (readonly Leadership[])[] = [];
    const announcer = announcerInto(announced);
    announcer.announceAll();
    expect(announced).toEqual([]);
    for (let partition = 0; partition < 16_384; partition++) announcer.follow(leading(partition, 65_539));
    announcer.announceChanges();
    expect(announced.map(({ length }) => length)).toEqual([4_096, 4_096, 4_096, 4_096]);
    announcer.forgetAll();
    expect(announcer.count).toBe(0);
  });
});
