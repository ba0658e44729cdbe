import { MemoryStorage } from '@ringleader/paxos/testing';
import { describeShardStorage } from './shard-storage.js';

describeShardStorage('the twin in memory', () => {
  const storage = new MemoryStorage();
  return Promise.resolve({
    commit: (transaction) => Promise.resolve(storage.apply(transaction)),
    read: (read) => Promise.resolve(storage.read(read)),
    removeGeneration: (removal) => Promise.resolve(storage.removeGeneration(removal)),
    restart: () => {
      const { records } = storage;
      storage.removeUnnamedGenerations();
      return Promise.resolve([...records.values()]);
    },
  });
});
