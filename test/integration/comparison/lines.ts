/** One record, as the text of its JSON, and what of it has another name in each logger. */
export interface Kept {
  readonly text: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly requestId: unknown;
}

/** What a logger that writes lines of JSON has written. */
export class Lines {
  #text = '';

  add(text: string): void {
    this.#text += text;
  }

  /** Takes what `work` writes to stdout and stderr. */
  capture(work: () => void): void {
    const streams = [process.stdout, process.stderr];
    const originals = streams.map((stream) => Object.getOwnPropertyDescriptor(stream, 'write'));
    const value = (chunk: unknown): boolean => {
      this.add(String(chunk));
      return true;
    };
    for (const stream of streams) Object.defineProperty(stream, 'write', { value, configurable: true });
    try {
      work();
    } finally {
      streams.forEach((stream, index) => {
        const original = originals[index];
        if (original === undefined) Reflect.deleteProperty(stream, 'write');
        else Object.defineProperty(stream, 'write', original);
      });
    }
  }

  records(): Kept[] {
    const lines = this.#text.split('\n').filter((line) => line !== '');
    return lines.map((text) => {
      const record = JSON.parse(text) as Record<string, unknown>;
      const time = record['time'] ?? record['timestamp'];
      const request = record['req'] as { id?: unknown } | undefined;
      return { text, time: new Date(time as number).getTime(), requestId: request?.id };
    });
  }
}
