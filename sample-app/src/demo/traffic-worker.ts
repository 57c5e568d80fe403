import { parentPort, workerData } from 'node:worker_threads';
import { requestAt } from './traffic-mix.js';
import type { SentRequest, TrafficNews, TrafficSettings } from './traffic.js';

/** The shop's customers: a thread of its own, whose requests no instrumentation of the shop can see leave. */

/** More than this at once means that the shop does not keep up: then customers wait at the door. */
const MAX_IN_FLIGHT = 64;
const ANSWER_TIMEOUT_MS = 30_000;
const NEWS_EVERY_MS = 250;

const { baseUrl, perSecond } = workerData as TrafficSettings;
const requests: SentRequest[] = [];
const inFlight = new Set<Promise<void>>();
let sent = 0;
let lastOrderId: number | undefined;

async function send(n: number): Promise<void> {
  const { method, path, body } = requestAt(n, lastOrderId);
  const id = `demo-${String(n).padStart(6, '0')}`;
  try {
    const response = await fetch(baseUrl + path, {
      method,
      headers: { 'x-request-id': id, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // Read to the end also where it is of no interest, so that the connection can be used again.
    const answer = (await response.json()) as { readonly id?: number };
    if (path === '/orders' && response.status === 201) lastOrderId = answer.id;
    requests.push({ id, status: response.status });
  } catch {
    requests.push({ id, status: undefined });
  }
}

function sendNext(): void {
  if (inFlight.size >= MAX_IN_FLIGHT) return;
  const request = send(++sent).finally(() => inFlight.delete(request));
  inFlight.add(request);
}

function tell(news: TrafficNews): void {
  parentPort?.postMessage(news);
}

const sending = setInterval(sendNext, 1_000 / perSecond);
const telling = setInterval(() => tell({ sent }), NEWS_EVERY_MS);

parentPort?.once('message', () => {
  clearInterval(sending);
  void Promise.all(inFlight).then(() => {
    clearInterval(telling);
    tell({ sent, requests });
  });
});
