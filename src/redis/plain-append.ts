import type { RedisConnection } from './connection.js';
import { UNSENT } from './failure.js';
import { closedError, explained } from './link-errors.js';
import type { PlainBatch } from './plain-requests.js';
import { rawCommandMaker } from './raw-command.js';
import { type RawPipeline, rawPipelineMaker } from './raw-pipeline.js';

/** What the server said to the commands of a batch. */
export interface PlainAnswers {
  /** By command: why it failed, or nothing. Where none failed, empty. */
  readonly errors: readonly unknown[];
  /** Id of the last entry; undefined where there is none, as in a list. */
  readonly lastId: string | undefined;
}

type Link = NonNullable<RedisConnection['link']>;

/** Sends a batch of plain commands. Rejects only where there is no connection. */
export async function sendPlain(
  connection: RedisConnection,
  batch: PlainBatch,
  timeoutMs: number,
): Promise<PlainAnswers> {
  const { link } = connection;
  if (link === undefined) throw closedError(UNSENT);
  const send = (command: { readonly promise: Promise<unknown> }): Promise<unknown> =>
    connection.send(command, timeoutMs);
  if ('nodes' in link.client) return sendEach(link, batch, send);
  const { name, key, bytes, ends } = batch;
  const options = { name, key, bytes, size: ends.length, kept: batch.end - 1 };
  const pipeline = rawPipelineMaker(link.ioredis)(options);
  const sent = send(pipeline);
  pipeline.expectReplies(link.client);
  // The deadline fails what has no answer of its own.
  const failure = await sent.then(noFailure, (error: unknown) => error);
  if (pipeline.errors.length === 0 && failure === undefined) batch.answered();
  return { errors: errorsOf(pipeline, { size: ends.length, failure, link }), lastId: idOf(pipeline.reply) };
}

function idOf(reply: unknown): string | undefined {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return typeof reply === 'string' ? reply : undefined;
}

function noFailure(): undefined {
  return undefined;
}

function errorsOf(
  pipeline: RawPipeline,
  { size, failure, link }: { readonly size: number; readonly failure: unknown; readonly link: Link },
): unknown[] {
  const errors: unknown[] = [];
  pipeline.errors.forEach((error, index) => {
    errors[index] = explained(error, pipeline, link);
  });
  for (let index = pipeline.answered; index < size; index++) errors[index] = failure;
  return errors;
}

type Send = (command: { readonly promise: Promise<unknown> }) => Promise<unknown>;

/** In a Cluster each command finds its own node: a slot may move between two of them. */
async function sendEach(link: Link, batch: PlainBatch, send: Send): Promise<PlainAnswers> {
  const { name, key, bytes, ends } = batch;
  const makeCommand = rawCommandMaker(link.ioredis);
  const sent = ends.map((end, index) => {
    const start = index === 0 ? 0 : (ends[index - 1] as number);
    // Helper keys are in the stream's slot: what goes to one goes to the other.
    return send(makeCommand(name, [key], bytes.subarray(start, end)));
  });
  const errors: unknown[] = [];
  let lastId: string | undefined;
  for (const [index, answer] of (await Promise.allSettled(sent)).entries()) {
    if (answer.status === 'rejected') errors[index] = answer.reason;
    else if (index === batch.end - 1) lastId = idOf(answer.value);
  }
  return { errors, lastId };
}
