import type { IoredisModule } from './client.js';
import type { SentCommand } from './connection.js';

/** A command whose bytes are ready: ioredis routes it and matches its reply, and encodes nothing. */
export type RawCommandMaker = (name: string, args: string[], bytes: Buffer) => SentCommand;

const makers = new WeakMap<object, RawCommandMaker>();

/**
 * ioredis' public `Command`, with `toWritable` answering the bytes given. `args` need to be only as complete as Cluster
 * routing wants them: the name, and the keys where it looks for them.
 */
export function rawCommandMaker(ioredis: IoredisModule): RawCommandMaker {
  const known = makers.get(ioredis.Command);
  if (known !== undefined) return known;
  class RawCommand extends ioredis.Command {
    /** The socket it was last written to; undefined while it never left. */
    writtenTo: SentCommand['writtenTo'] = undefined;
    readonly #bytes: Buffer;

    constructor(name: string, args: string[], bytes: Buffer) {
      super(name, args, { replyEncoding: 'utf8' });
      this.#bytes = bytes;
    }

    override toWritable(socket: object): Buffer {
      this.writtenTo = socket;
      return this.#bytes;
    }
  }
  const maker: RawCommandMaker = (name, args, bytes) =>
    new RawCommand(name, args, bytes) as unknown as SentCommand;
  makers.set(ioredis.Command, maker);
  return maker;
}
