const CRLF = '\r\n';

/** Cuts a byte stream into the commands that a Redis client sends: arrays of bulk strings. */
export class RespCommandParser {
  #buffered = Buffer.alloc(0);

  /** Takes the next bytes; returns the commands that are complete with them. */
  push(bytes: Buffer): Buffer[][] {
    this.#buffered = Buffer.concat([this.#buffered, bytes]);
    const commands: Buffer[][] = [];
    for (;;) {
      const parsed = parseCommand(this.#buffered);
      if (parsed === undefined) return commands;
      commands.push(parsed.args);
      this.#buffered = this.#buffered.subarray(parsed.end);
    }
  }
}

function parseCommand(data: Buffer): { args: Buffer[]; end: number } | undefined {
  const header = parseLength(data, 0, '*');
  if (header === undefined) return undefined;
  const args: Buffer[] = [];
  let at = header.end;
  for (let index = 0; index < header.length; index += 1) {
    const bulk = parseLength(data, at, '$');
    if (bulk === undefined || data.length < bulk.end + bulk.length + CRLF.length) return undefined;
    args.push(data.subarray(bulk.end, bulk.end + bulk.length));
    at = bulk.end + bulk.length + CRLF.length;
  }
  return { args, end: at };
}

function parseLength(data: Buffer, at: number, mark: '*' | '$'): { length: number; end: number } | undefined {
  const lineEnd = data.indexOf(CRLF, at);
  if (lineEnd === -1) return undefined;
  const line = data.toString('latin1', at, lineEnd);
  const length = Number(line.slice(1));
  if (!line.startsWith(mark) || !Number.isInteger(length) || length < 0) {
    throw new Error(`A client sent ${JSON.stringify(line)} where ${mark}<length> was due.`);
  }
  return { length, end: lineEnd + CRLF.length };
}
