import { DatabaseSync } from 'node:sqlite';

export interface ErrorRow {
  /** `<producer>:<seq>`: the same at every delivery of a record. */
  readonly key: string;
  /** Of its entry in the stream. */
  readonly entryId: string;
  readonly loggedAt: string;
  readonly scope: string;
  readonly message: string;
  readonly exception: string | null;
  readonly traceId: string | null;
}

// With a log of its own SQLite lets others read meanwhile; they wait for each other rather than fail.
const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS errors (
    key TEXT PRIMARY KEY,
    entry_id TEXT NOT NULL,
    logged_at TEXT NOT NULL,
    scope TEXT NOT NULL,
    message TEXT NOT NULL,
    exception TEXT,
    trace_id TEXT,
    deliveries INTEGER NOT NULL DEFAULT 1
  ) STRICT`;

// A record that comes again finds its key taken: so at-least-once delivery makes a table that has each error once.
const SAVE = `
  INSERT INTO errors (key, entry_id, logged_at, scope, message, exception, trace_id)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET deliveries = deliveries + 1`;

/** The errors of the shop in a SQLite file, each once, however often it comes. */
export class ErrorStore {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec(SCHEMA);
  }

  /** All of them or none. */
  save(rows: readonly ErrorRow[]): void {
    const save = this.#database.prepare(SAVE);
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const row of rows) {
        const { key, entryId, loggedAt, scope, message, exception, traceId } = row;
        save.run(key, entryId, loggedAt, scope, message, exception, traceId);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  count(): number {
    return Number(this.#database.prepare('SELECT count(*) AS n FROM errors').get()?.['n']);
  }

  /** Key, entry id and number of deliveries of every error. */
  list(): { readonly key: string; readonly entryId: string; readonly deliveries: number }[] {
    const rows = this.#database.prepare('SELECT key, entry_id, deliveries FROM errors').all();
    return rows.map((row) => ({
      key: String(row['key']),
      entryId: String(row['entry_id']),
      deliveries: Number(row['deliveries']),
    }));
  }

  close(): void {
    this.#database.close();
  }
}
