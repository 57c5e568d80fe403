import type { Runtime } from '../pipeline/runtime.js';
import type { Client } from './client.js';
import { isReplyError } from './failure.js';
import { end } from './sockets.js';

/** So long may a connection be silent before it is asked whether it still works. */
const HEARTBEAT_MS = 10_000;

/** What a heartbeat looks at. */
export interface Pulse {
  /** When something was last sent, by the runtime's clock. */
  readonly lastSentAt: number;
  /** Commands without a reply: they have deadlines of their own. */
  readonly pending: number;
}

export interface HeartbeatParts {
  readonly runtime: Runtime;
  readonly pulse: Pulse;
  /** Settles by a deadline of its own. */
  ping(): Promise<unknown>;
  lost(error: unknown): void;
}

/**
 * Asks an idle connection now and then whether it still works, so that one that broke without a word (a firewall that
 * forgot it, a host that is gone) is replaced before the next record needs it. Costs one look at the clock in 10 s
 * while records flow, and never keeps a process alive. Returns the function that ends it.
 */
export function startHeartbeat({ runtime, pulse, ping, lost }: HeartbeatParts): () => void {
  let isOver = false;
  let cancel = runtime.after(HEARTBEAT_MS, look);

  function again(delayMs: number): void {
    if (!isOver) cancel = runtime.after(delayMs, look);
  }

  function look(): void {
    const silentMs = runtime.now() - pulse.lastSentAt;
    if (pulse.pending > 0) return again(HEARTBEAT_MS);
    if (silentMs < HEARTBEAT_MS) return again(Math.max(1, HEARTBEAT_MS - silentMs));
    ping().then(
      () => again(HEARTBEAT_MS),
      (error: unknown) => {
        // "Not allowed" is an answer, too.
        if (isReplyError(error)) again(HEARTBEAT_MS);
        else if (!isOver) lost(error);
      },
    );
  }

  return () => {
    isOver = true;
    cancel();
  };
}

/**
 * Asks the server whether it still works. Of a Cluster every node is asked that there is a connection to, and one that
 * is silent loses that connection alone. `inTime` gives a promise its deadline.
 */
export async function pingNodes(
  client: Client,
  inTime: (reply: Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  if (!('nodes' in client)) {
    await inTime(client.ping());
    return;
  }
  const nodes = client.nodes('master').filter((node) => node.status === 'ready');
  const asked = nodes.map(async (node) => {
    try {
      await inTime(node.ping());
    } catch (error) {
      // "Not allowed" is an answer, too.
      if (!isReplyError(error)) end(node);
    }
  });
  await Promise.all(asked);
}
