/**
 * etcd by gRPC, its own protocol: as much of it as is measured (field numbers of etcd's rpc.proto and kv.proto). Calls go to
 * the nodes in turn, as those of etcd's own client do.
 */
import { credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import type { ClientDuplexStream, GrpcObject, ServiceClientConstructor, ServiceError } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { startEtcd } from '../harness/targets/etcd.js';
import type { MeasuredStore } from './measured-store.js';

const field = (id: number, type: string): { id: number; type: string } => ({ id, type });
const many = (id: number, type: string): { id: number; type: string; rule: 'repeated' } => ({
  id,
  type,
  rule: 'repeated',
});

/** The type wants comments on methods, which are only for documentation. */
const comment = '';

const definition: Parameters<typeof fromJSON>[0] = {
  nested: {
    mvccpb: {
      nested: {
        KeyValue: {
          fields: { key: field(1, 'bytes'), modRevision: field(3, 'int64'), value: field(5, 'bytes') },
        },
        Event: { fields: { type: field(1, 'int32'), kv: field(2, 'KeyValue') } },
      },
    },
    etcdserverpb: {
      nested: {
        ResponseHeader: { fields: { revision: field(3, 'int64') } },
        PutRequest: { fields: { key: field(1, 'bytes'), value: field(2, 'bytes') } },
        PutResponse: { fields: { header: field(1, 'ResponseHeader') } },
        RequestOp: { fields: { requestPut: field(2, 'PutRequest') } },
        TxnRequest: { fields: { success: many(2, 'RequestOp') } },
        TxnResponse: { fields: { header: field(1, 'ResponseHeader'), succeeded: field(2, 'bool') } },
        CompactionRequest: { fields: { revision: field(1, 'int64') } },
        CompactionResponse: { fields: { header: field(1, 'ResponseHeader') } },
        RangeRequest: { fields: { key: field(1, 'bytes'), rangeEnd: field(2, 'bytes') } },
        RangeResponse: {
          fields: {
            header: field(1, 'ResponseHeader'),
            kvs: many(2, 'mvccpb.KeyValue'),
            count: field(4, 'int64'),
          },
        },
        WatchCreateRequest: { fields: { key: field(1, 'bytes'), rangeEnd: field(2, 'bytes') } },
        WatchRequest: { fields: { createRequest: field(1, 'WatchCreateRequest') } },
        WatchResponse: {
          fields: {
            watchId: field(2, 'int64'),
            created: field(3, 'bool'),
            canceled: field(4, 'bool'),
            events: many(11, 'mvccpb.Event'),
          },
        },
        KV: {
          methods: {
            Range: { requestType: 'RangeRequest', responseType: 'RangeResponse', comment },
            Put: { requestType: 'PutRequest', responseType: 'PutResponse', comment },
            Txn: { requestType: 'TxnRequest', responseType: 'TxnResponse', comment },
            Compact: { requestType: 'CompactionRequest', responseType: 'CompactionResponse', comment },
          },
        },
        Watch: {
          methods: {
            Watch: {
              requestType: 'WatchRequest',
              requestStream: true,
              responseType: 'WatchResponse',
              responseStream: true,
              comment,
            },
          },
        },
      },
    },
  },
};

interface WatchResponse {
  readonly watchId: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly events: readonly { readonly kv: { readonly value: Buffer } }[];
}

type WatchStream = ClientDuplexStream<unknown, WatchResponse>;
type Done<T> = (error: ServiceError | null, answer: T) => void;

interface Put {
  readonly key: Buffer;
  readonly value: Buffer;
}

interface RangeResponse {
  readonly header: { readonly revision: number };
  readonly kvs: readonly { readonly value: Buffer }[];
}

interface KvClient {
  put(request: Put, done: Done<unknown>): void;
  range(request: { readonly key: Buffer }, done: Done<RangeResponse>): void;
  txn(
    request: { readonly success: readonly { readonly requestPut: Put }[] },
    done: Done<{ readonly succeeded: boolean }>,
  ): void;
  compact(request: { readonly revision: number }, done: Done<unknown>): void;
  close(): void;
}

interface WatchClient {
  watch(): WatchStream;
  close(): void;
}

const loaded = loadPackageDefinition(fromJSON(definition, { longs: Number, defaults: true }));
const services = loaded['etcdserverpb'] as GrpcObject;

function clientOf(service: string, url: string): unknown {
  const Client = services[service] as ServiceClientConstructor;
  return new Client(new URL(url).host, credentials.createInsecure());
}

const call = <T>(send: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    send((error, answer) => (error === null ? resolve(answer) : reject(error)));
  });

const putOf = (key: string, value: string): Put => ({ key: Buffer.from(key), value: Buffer.from(value) });

export class EtcdClient {
  private turn = 0;
  private readonly kv: readonly KvClient[];
  private readonly watches: readonly Watches[];

  constructor(urls: readonly string[]) {
    this.kv = urls.map((url) => clientOf('KV', url) as KvClient);
    this.watches = urls.map((url) => new Watches(clientOf('Watch', url) as WatchClient));
  }

  async put(key: string, value: string): Promise<void> {
    await call((done) => this.inTurn(this.kv).put(putOf(key, value), done));
  }

  /** Linearizable; undefined: there is no such key. */
  async get(key: string): Promise<Buffer | undefined> {
    return (await this.range(key)).kvs[0]?.value;
  }

  /** In one transaction. */
  async putAll(keys: readonly string[], value: string): Promise<void> {
    const success = keys.map((key) => ({ requestPut: putOf(key, value) }));
    await call((done) => this.inTurn(this.kv).txn({ success }, done));
  }

  /** Forgets all versions of keys but the last. */
  async compact(): Promise<void> {
    const { header } = await this.range('now');
    await call((done) => this.inTurn(this.kv).compact({ revision: header.revision }, done)).catch(
      (error: ServiceError) => {
        // Nothing was written since the last time.
        if (error.code !== status.OUT_OF_RANGE) throw error;
      },
    );
  }

  watch(...args: Parameters<MeasuredStore['watch']>): Promise<void> {
    return this.inTurn(this.watches).watch(...args);
  }

  close(): void {
    for (const client of [...this.kv, ...this.watches]) client.close();
  }

  private range(key: string): Promise<RangeResponse> {
    return call((done) => this.inTurn(this.kv).range({ key: Buffer.from(key) }, done));
  }

  private inTurn<T>(all: readonly T[]): T {
    return all[this.turn++ % all.length]!;
  }
}

export async function startEtcdStore(program: string): Promise<MeasuredStore> {
  const { urls, pids, stop } = await startEtcd(program);
  const client = new EtcdClient(urls);
  return {
    name: 'etcd',
    pids,
    carrierPid: null,
    put: (key, value) => client.put(key, value),
    get: async (key) => void (await client.get(key)),
    watch: (range, onValues) => client.watch(range, onValues),
    stop: async () => {
      client.close();
      await stop();
    },
  };
}

/** All watches of a node on one stream, as etcd's own client has them. */
class Watches {
  private stream: WatchStream | null = null;
  private isClosed = false;
  private readonly waiting: { readonly onValues: OnValues; readonly created: () => void }[] = [];
  private readonly running = new Map<number, OnValues>();

  constructor(private readonly client: WatchClient) {}

  readonly watch: MeasuredStore['watch'] = ({ key, rangeEnd }, onValues) =>
    new Promise((created) => {
      this.stream ??= this.open();
      this.waiting.push({ onValues, created });
      const range = {
        key: Buffer.from(key),
        ...(rangeEnd === undefined ? {} : { rangeEnd: Buffer.from(rangeEnd) }),
      };
      this.stream.write({ createRequest: range });
    });

  close(): void {
    this.isClosed = true;
    this.stream?.cancel();
    this.client.close();
  }

  private open(): WatchStream {
    const stream = this.client.watch();
    stream.on('data', (response: WatchResponse) => this.take(response));
    stream.on('error', (error) => {
      // That it was cancelled, by `close`.
      if (!this.isClosed) throw error;
    });
    return stream;
  }

  private take({ watchId, created, canceled, events }: WatchResponse): void {
    if (canceled) throw new Error('etcd ended a watch');
    if (created) {
      const next = this.waiting.shift();
      if (next !== undefined) this.running.set(watchId, next.onValues);
      next?.created();
    }
    if (events.length > 0) this.running.get(watchId)?.(events.map(({ kv }) => kv.value.toString()));
  }
}

type OnValues = (values: readonly string[]) => void;
