import type { InsightsReader } from '../redis/insights-reader.js';
import type { CountedError, ErrorCounts } from './error-counts.js';
import type { ErrorMessage, ErrorSample } from './types.js';

/** New messages that are told at once. */
const MAX_NEW = 20;
/** Messages that are looked up at once, the most frequent ones; the rest has to wait for the next look. */
const MAX_ASKED = 500;

/** What the errors of the last minutes say, and what of it is new. */
export class ErrorMessages {
  readonly #stream: string;
  readonly #reader: InsightsReader;
  /** Of the messages of the last minutes, when each was first seen; 0 for one that is forgotten. In order of finding. */
  readonly #firstSeen = new Map<string, number>();

  constructor(stream: string, reader: InsightsReader) {
    this.#stream = stream;
    this.#reader = reader;
  }

  /** `since`: when counting began. While everything is new, nothing is called new. */
  async read(
    { messages }: ErrorCounts,
    { from, since }: { readonly from: number; readonly since: number },
  ): Promise<Pick<ErrorSample, 'mostFrequent' | 'newMessages'>> {
    await this.#learn(messages);
    const isNew = (firstMs: number): boolean => since < from && firstMs >= from;
    // In the order in which they were found, so that one that was told of stays among them until its time is over.
    const found = [...this.#firstSeen].filter(([, firstMs]) => isNew(firstMs));
    const newIds = found.slice(0, MAX_NEW).map(([id]) => id);
    const top = mostFrequentOf(messages);
    const wanted = [top, ...newIds.map((id) => messages.get(id))].filter((each) => each !== undefined);
    const told = await this.#details(wanted);
    return {
      mostFrequent: top === undefined ? undefined : told.get(top.id),
      newMessages: newIds.map((id) => told.get(id)).filter((each) => each !== undefined),
    };
  }

  forget(): void {
    this.#firstSeen.clear();
  }

  async #learn(messages: ReadonlyMap<string, CountedError>): Promise<void> {
    for (const id of this.#firstSeen.keys()) if (!messages.has(id)) this.#firstSeen.delete(id);
    const unknown = [...messages.values()].filter(({ id }) => !this.#firstSeen.has(id));
    unknown.sort((a, b) => b.count - a.count);
    const ids = unknown.slice(0, MAX_ASKED).map(({ id }) => id);
    const found = await this.#reader.messages(this.#stream, ids);
    for (const [index, id] of ids.entries()) this.#firstSeen.set(id, found[index]?.firstMs ?? 0);
  }

  /** By id, without those that are forgotten. */
  async #details(wanted: readonly CountedError[]): Promise<Map<string, ErrorMessage>> {
    const ids = wanted.map(({ id }) => id);
    const found = await this.#reader.messages(this.#stream, ids);
    return new Map(
      wanted.flatMap((counted, index): [string, ErrorMessage][] => {
        const known = found[index];
        if (known === undefined) return [];
        const { template, firstMs, entryId } = known;
        return [[counted.id, { ...counted, template, firstSeen: firstMs, entryId }]];
      }),
    );
  }
}

function mostFrequentOf(messages: ReadonlyMap<string, CountedError>): CountedError | undefined {
  let top: CountedError | undefined;
  for (const message of messages.values()) if (top === undefined || message.count > top.count) top = message;
  return top;
}
