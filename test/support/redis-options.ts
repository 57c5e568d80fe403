import type { Redis, RedisOptions } from 'ioredis';

export interface RedisServerOptions {
  /** Further lines of redis.conf, for example `maxmemory 10mb`. They win over the defaults of these servers. */
  readonly config?: readonly string[];
  /** Append-only file, with `appendfsync everysec` unless `config` says otherwise. Default false. */
  readonly appendOnly?: boolean;
}

/** A Redis or Valkey server of the test that started it: real, empty, on a port of its own. */
export interface RedisServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `redis://host:port` */
  readonly url: string;
  /** The same server on a Unix socket; undefined when it runs in Docker. */
  readonly socketPath: string | undefined;
  /** An ioredis client for assertions. It is closed with the server. */
  client(options?: RedisOptions): Redis;
  /** Asks the server to end (SIGTERM), waits for it, and removes its files. Can be called again. */
  stop(): Promise<void>;
  /** SIGKILL. The files stay, for `restart`. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): Promise<void>;
  /** Ends the server if it runs, and starts it again on the same port with the same files. */
  restart(): Promise<void>;
}
