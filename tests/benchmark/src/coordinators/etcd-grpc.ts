/**
 * etcd by gRPC, its own protocol: as much of it as is measured (field numbers of etcd's rpc.proto and kv.proto). Calls go to
 * the nodes in turn, as those of etcd's own client do.
 */
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ClientDuplexStream, GrpcObject, ServiceClientConstructor, ServiceError } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { startEtcd } from '../etcd.js';
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
type Done = (error: ServiceError | null) => void;

interface KvClient {
  put(request: { readonly key: Buffer; readonly value: Buffer }, done: Done): void;
  range(request: { readonly key: Buffer }, done: Done): void;
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

export async function startEtcdStore(program: string): Promise<MeasuredStore> {
  const { urls, pids, stop } = await startEtcd(program);
  const kv = urls.map((url) => clientOf('KV', url) as KvClient);
  const watches = urls.map((url) => new Watches(clientOf('Watch', url) as WatchClient));
  let turn = 0;
  const inTurn = <T>(all: readonly T[]): T => all[turn++ % all.length]!;
  const call = (send: (done: Done) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      send((error) => (error === null ? resolve() : reject(error)));
    });
  return {
    name: 'etcd',
    pids,
    carrierPid: null,
    put: (key, value) =>
      call((done) => inTurn(kv).put({ key: Buffer.from(key), value: Buffer.from(value) }, done)),
    get: (key) => call((done) => inTurn(kv).range({ key: Buffer.from(key) }, done)),
    watch: (range, onValues) => inTurn(watches).watch(range, onValues),
    stop: async () => {
      for (const client of [...kv, ...watches]) client.close();
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
