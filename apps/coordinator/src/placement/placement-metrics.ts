import { Injectable } from '@nestjs/common';
import { ReadFigures, Registry } from '@ringleader/observability';
import { PlacementService } from './placement.service.js';

/** Of the leader; elsewhere gauges are 0, and counters stand still. */
@Injectable()
export class PlacementMetrics {
  constructor(registry: Registry, placement: PlacementService) {
    const figures = new ReadFigures(registry, 'ringleader_coordinator_placement_');
    const { log } = placement;
    figures.gauge('moves_under_way', 'Partitions whose replicas are being exchanged', () => log.underWay);
    figures.gauge('copies_wanted', 'Replicas that are still to be copied elsewhere', () => log.wanted);
    const partitions = 'Partitions that there are; 0 before the first map';
    figures.gauge('partitions', partitions, () => placement.mirrored?.map.length ?? 0);
    const leaders = 'Partitions that another of their replicas is to lead';
    figures.gauge('leader_changes_wanted', leaders, () => log.leaderChanges);
    figures.gauge('blocked', '1 while something that should be done cannot be', () =>
      log.isBlocked ? 1 : 0,
    );
    const paused = '1 while an operator has paused placement';
    figures.gauge('paused', paused, () => (placement.mirrored?.control?.paused === true ? 1 : 0));
    figures.gauge('epoch', 'Of the plan', () => placement.mirrored?.control?.epoch ?? 0);
    const copied = 'Bytes of rows that were copied for moves, as leaders of partitions said';
    figures.counter('copied_bytes_total', copied, () => placement.bytesCopied);
    const left =
      'Bytes of rows that are still to be copied for moves: by the rate of the copied, when they end';
    figures.gauge('bytes_left', left, () => placement.bytesLeft);
    const steps = { name: 'steps_total', help: 'Steps done, by kind', label: 'kind' } as const;
    figures.countersBy(steps, () => log.stepsTotal);
    figures.counter('looks_total', 'How often it was decided what to do', () => log.looksTotal);
    figures.counter('look_seconds_total', 'Time it took to decide', () => log.lookSecondsTotal);
    figures.gauge('look_seconds_max', 'The longest of these', () => log.lookSecondsMax);
    figures.counter('targets_total', 'How often the target map was worked out', () => log.targetsTotal);
  }
}
