import type { Redis } from 'ioredis';
import type { IoredisModule } from './client.js';
import type { SentCommand } from './connection.js';

export interface RawPipelineOptions {
  /** Name and key of its commands, for whoever traces them. */
  readonly name: string;
  readonly key: string;
  /** All commands, back to back. */
  readonly bytes: Buffer;
  /** How many they are. */
  readonly size: number;
  /** The command whose reply is kept. */
  readonly kept: number;
}

/** Many commands whose bytes are ready, and what came of each. */
export interface RawPipeline extends SentCommand {
  /** Settles when every command has its answer; rejects only where not one of them was done. */
  readonly promise: Promise<void>;
  /** By command: its error, or nothing. Where no command failed, empty. */
  readonly errors: readonly (Error | undefined)[];
  /** How many commands have an answer; those are the first ones. */
  readonly answered: number;
  /** The reply to the command `kept`, as bytes; undefined where it failed. */
  readonly reply: unknown;
  /** To be called right after the pipeline was sent, which wrote all bytes: its other commands wait for replies too. */
  expectReplies(client: Redis): void;
}

export type RawPipelineMaker = (options: RawPipelineOptions) => RawPipeline;

const makers = new WeakMap<object, RawPipelineMaker>();

/** Takes the place of the socket for commands whose bytes are on their way already. */
const NOWHERE = { write: () => true } as unknown as Parameters<Redis['sendCommand']>[1];

/**
 * A pipeline for the price of one command. ioredis takes a command from its queue for each reply; here the same
 * command stands in it many times, and counts. Its first turn writes the bytes of all, the others write nothing. So
 * there is no object, no promise and no write for each record, and replies are still matched by ioredis itself.
 */
export function rawPipelineMaker(ioredis: IoredisModule): RawPipelineMaker {
  const known = makers.get(ioredis.Command);
  if (known !== undefined) return known;
  class PipelineCommand extends ioredis.Command implements RawPipeline {
    readonly errors: (Error | undefined)[] = [];
    answered = 0;
    reply: unknown;
    writtenTo: SentCommand['writtenTo'] = undefined;
    readonly #options: RawPipelineOptions;
    #isWorking = false;
    #end: (error?: Error) => void = () => undefined;

    constructor(options: RawPipelineOptions) {
      super(options.name, [options.key]);
      this.#options = options;
      this.promise = new Promise<void>((resolve, reject) => {
        this.#end = (error) => (error === undefined ? resolve() : reject(error));
      });
      this.resolve = (reply: unknown) => {
        if (this.answered === options.kept) this.reply = reply;
        this.#isWorking = true;
        this.#count(undefined);
      };
      this.reject = (error) => this.#count(error);
    }

    override toWritable(socket: object): Buffer {
      this.writtenTo ??= socket;
      return this.#options.bytes;
    }

    expectReplies(client: Redis): void {
      for (let index = 1; index < this.#options.size && this.answered === 0; index++) {
        client.sendCommand(this, NOWHERE);
      }
      if (this.answered > 0) this.#refuseAll();
    }

    /** One of them was refused at once: there is no connection, or none any more. */
    #refuseAll(): void {
      const { size } = this.#options;
      const error = new Error('Connection is closed.');
      for (let index = 0; index < size; index++) this.errors[index] = error;
      this.answered = size;
      this.#end(error);
    }

    #count(error: Error | undefined): void {
      if (error !== undefined) this.errors[this.answered] = error;
      if (++this.answered === this.#options.size) this.#end(this.#isWorking ? undefined : error);
    }
  }
  const maker: RawPipelineMaker = (options) => new PipelineCommand(options);
  makers.set(ioredis.Command, maker);
  return maker;
}
