import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.js';
import { RespCommandParser } from './resp-parser.js';

/** A command as it came, with its name in capitals. */
export interface ScriptedCommand {
  readonly name: string;
  readonly args: readonly string[];
  /** The same with every byte as sent. */
  readonly rawArgs: readonly Buffer[];
  /** 0 for the first connection to this server, then 1, and so on. */
  readonly connection: number;
}

/** What a script returns to leave a command without an answer. */
export const NO_REPLY = Symbol('no reply');

/**
 * What the server does with a command: bytes to send (see `resp`), or no answer at all, or the end of the
 * connection, after sending `then`'s bytes if there are any.
 */
export type ScriptedReply =
  string | Buffer | typeof NO_REPLY | { readonly end: 'close' | 'reset'; readonly after?: string };

/** Decides the reply; undefined leaves the command to what every client sends on connecting. */
export type Script = (command: ScriptedCommand) => ScriptedReply | undefined;

type RespValue = string | number | null | readonly RespValue[];

/** Replies in RESP2, which a RESP3 client reads too. */
export const resp = {
  ok: '+OK\r\n',
  simple: (text: string): string => `+${text}\r\n`,
  error: (text: string): string => `-${text}\r\n`,
  value: encodeValue,
} as const;

function encodeValue(value: RespValue): string {
  if (value === null) return '$-1\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  if (typeof value === 'string') return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  return `*${value.length}\r\n${value.map(encodeValue).join('')}`;
}

const SERVER_INFO =
  '# Server\r\nredis_version:7.0.15\r\n# Persistence\r\nloading:0\r\n# Replication\r\nrole:master\r\n';

/** What a client sends to get going, so that a script need not care. */
function answerHandshake({ name, args }: ScriptedCommand): string {
  switch (name) {
    case 'HELLO':
      return args[0] === '3'
        ? `%2\r\n${['server', 'redis', 'proto'].map(encodeValue).join('')}:3\r\n`
        : resp.value([]);
    case 'INFO':
      return resp.value(SERVER_INFO);
    case 'PING':
      return resp.simple('PONG');
    case 'AUTH':
    case 'CLIENT':
    case 'QUIT':
    case 'SELECT':
      return resp.ok;
    default:
      return resp.error(`ERR unknown command '${name}'`);
  }
}

export async function startScriptedRespServer(script: Script): Promise<ScriptedRespServer> {
  const server = new ScriptedRespServer(script, await freePort());
  await server.listen();
  return server;
}

/** Speaks Redis's protocol and says what a script tells it, for replies that no real server gives on demand. */
export class ScriptedRespServer implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly url: string;
  /** Every command that came, in order, those of the handshake too. */
  readonly commands: ScriptedCommand[] = [];
  /** Replies to what comes from now on. */
  script: Script;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #connections = 0;

  constructor(script: Script, port: number) {
    this.script = script;
    this.port = port;
    this.url = `redis://${this.host}:${port}`;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Connections since the start. */
  get connections(): number {
    return this.#connections;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.port, this.host);
    await once(this.#server, 'listening');
  }

  /** The commands of one name that came so far. */
  received(name: string): ScriptedCommand[] {
    return this.commands.filter((command) => command.name === name);
  }

  /** Sends bytes that nobody asked for to every open connection. */
  push(bytes: string | Buffer): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(socket: Socket): void {
    const connection = this.#connections;
    this.#connections += 1;
    this.#sockets.add(socket);
    const parser = new RespCommandParser();
    socket.on('data', (bytes: Buffer) => {
      for (const [name = Buffer.alloc(0), ...rawArgs] of parser.push(bytes)) {
        const args = rawArgs.map((arg) => arg.toString());
        this.#answer(socket, { name: name.toString().toUpperCase(), args, rawArgs, connection });
      }
    });
    // A client that resets its connection is part of many tests.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #answer(socket: Socket, command: ScriptedCommand): void {
    if (socket.destroyed || socket.writableEnded) return;
    this.commands.push(command);
    const reply = this.script(command) ?? answerHandshake(command);
    if (reply === NO_REPLY) return;
    if (typeof reply === 'string' || Buffer.isBuffer(reply)) {
      socket.write(reply);
      return;
    }
    socket.write(reply.after ?? '', () => {
      if (reply.end === 'reset') socket.resetAndDestroy();
      else socket.end();
    });
  }
}
