import type { Group } from '../group.js';
import { checkLeases } from './lease-check.js';
import { checkAnswers, History } from './store-check.js';
import { checkWatchers } from './watch-check.js';

/** What clients and watchers were told, against the one history that there was. */
export function checkStore({ judge, clients, watchers }: Group): void {
  const operations = clients.history();
  checkLeases(judge.log, operations);
  const history = new History(judge.log);
  checkAnswers(history, operations);
  checkWatchers(history, watchers.watchers);
}
