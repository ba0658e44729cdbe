import { MemoryStorage } from '@ringleader/paxos/testing';
import { describeRowDigests } from './row-digests.js';
import { describeRowsPast } from './rows-past.js';
import { describeShardStorage, type StorageUnderTest } from './shard-storage.js';

function open(): Promise<StorageUnderTest> {
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
}

describeShardStorage('the twin in memory', open);
describeRowDigests('the twin in memory', open);
describeRowsPast('the twin in memory', open);
