import { plainRead } from '@ringleader/mvcc';
import { SimulationFailure } from '@ringleader/testing-simulation';
import { isDeepStrictEqual } from 'node:util';
import type { Group } from '../group.js';
import type { MemberProcess } from '../member-process.js';
import { checkLeases } from './lease-check.js';
import { rangeIn } from './oracle.js';
import { checkAnswers, History } from './store-check.js';
import { checkWatchers } from './watch-check.js';

/** What clients and watchers were told, against the one history that there was. */
export function checkStore(group: Group): void {
  const { judge, clients, watchers, followers } = group;
  const operations = clients.history();
  checkLeases(judge.log, operations);
  const history = new History(judge.log);
  checkAnswers(history, operations);
  checkWatchers(history, [...watchers.watchers, ...followers.followers]);
  for (const process of group.processes()) checkContent(history, process);
}

/** Whatever way it came to where it is: by the log, or by a snapshot. */
function checkContent(history: History, { core, store }: MemberProcess): void {
  const { id, appliedIndex } = core.status();
  const everything = { ...plainRead, key: '', rangeEnd: '' };
  if (isDeepStrictEqual(store.store.range(everything), rangeIn(history.view(appliedIndex), everything)))
    return;
  const what = `member ${String(id)} has other keys at ${String(appliedIndex)} than there should be`;
  throw new SimulationFailure('whole store', what);
}
