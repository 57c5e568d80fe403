import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

describe('the fault proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  let sockets: Socket[];
  let serverSide: Socket[];

  beforeEach(async () => {
    sockets = [];
    serverSide = [];
    echo = createServer((socket) => {
      serverSide.push(socket.on('error', () => {}));
      socket.pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const address = echo.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    proxy = await startTcpProxy({ port: address.port });
  });

  afterEach(async () => {
    for (const socket of [...sockets, ...serverSide]) socket.destroy();
    await proxy.close();
    echo.close();
  });

  function dial(): { socket: Socket; received: () => string; ended: Promise<string> } {
    const socket = createConnection({ port: proxy.port, host: proxy.host });
    sockets.push(socket);
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString();
    });
    const ended = new Promise<string>((resolve) => {
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.on('close', () => resolve('closed'));
    });
    return { socket, received: () => received, ended };
  }

  it('passes bytes both ways and counts connections and bytes', async () => {
    const { socket, received } = dial();
    socket.write('hello');
    await until(() => received() === 'hello');

    expect(proxy.counts).toEqual({ connections: 1, open: 1, bytesUp: 5, bytesDown: 5 });
  });

  it('passes on the end of one half and still brings the answer', async () => {
    const { socket, received, ended } = dial();
    socket.end('last words');

    expect(await ended).toBe('closed');
    expect(received()).toBe('last words');
    await until(() => proxy.counts.open === 0);
  });

  it('delays every byte by the latency, each way', async () => {
    await proxy.set({ latencyMs: 60 });
    const { socket, received } = dial();
    await once(socket, 'connect');
    const start = performance.now();
    socket.write('hello');
    await until(() => received() === 'hello');

    // A timer may fire up to a millisecond early.
    expect(performance.now() - start).toBeGreaterThanOrEqual(118);
  });

  it('holds everything in a black hole without ending the connection, and delivers after it', async () => {
    const { socket, received } = dial();
    socket.write('a');
    await until(() => received() === 'a');
    await proxy.set({ blackHole: true });
    socket.write('b');
    const other = dial();
    other.socket.write('x');
    await once(other.socket, 'connect');
    expect(proxy.counts.bytesUp).toBe(1);
    await proxy.heal();

    await until(() => received() === 'ab' && other.received() === 'x');
  });

  it('can lose the replies alone', async () => {
    await proxy.set({ blackHole: 'down' });
    const { socket, received, ended } = dial();
    socket.write('hello');
    await until(() => serverSide[0]?.bytesRead === 5 && proxy.counts.bytesUp === 5);
    proxy.cut();

    expect(await ended).toBe('ECONNRESET');
    expect(received()).toBe('');
  });

  it('resets after exactly so many bytes down', async () => {
    await proxy.set({ resetAfterBytes: { down: 7 } });
    const { socket, received, ended } = dial();
    socket.write('hello world');

    expect(await ended).toBe('ECONNRESET');
    expect(received()).toBe('hello w');
    expect(proxy.counts.bytesDown).toBe(7);
  });

  it('resets after exactly so many bytes up, on every new connection until it is healed', async () => {
    await proxy.set({ resetAfterBytes: { up: 3 } });
    for (const attempt of [1, 2]) {
      const { socket, ended } = dial();
      socket.write('hello');
      expect(await ended).toBe('ECONNRESET');
      expect(proxy.counts.bytesUp).toBe(attempt * 3);
    }
    await proxy.heal();
    const { socket, received } = dial();
    socket.write('hello');

    await until(() => received() === 'hello');
  });

  it('cuts bytes into slices that arrive one by one, in order', async () => {
    await proxy.set({ sliceBytes: 1 });
    const { socket, received } = dial();
    let chunks = 0;
    serverSide = [];
    echo.once('connection', (accepted: Socket) => {
      accepted.on('data', () => {
        chunks += 1;
      });
    });
    socket.write('0123456789'.repeat(20));
    await until(() => received().length === 200);

    expect(received()).toBe('0123456789'.repeat(20));
    expect(chunks).toBeGreaterThan(1);
  });

  it('refuses new connections, keeps the open ones, and listens again on the same port', async () => {
    const first = dial();
    await once(first.socket, 'connect');
    await until(() => proxy.counts.open === 1);
    await proxy.set({ refuse: true });
    expect(await dial().ended).toBe('ECONNREFUSED');
    first.socket.write('still here');
    await until(() => first.received() === 'still here');
    await proxy.heal();
    const second = dial();
    second.socket.write('back');

    await until(() => second.received() === 'back');
  });

  it('lets a new connection wait', async () => {
    await proxy.set({ acceptDelayMs: 60 });
    const start = performance.now();
    const { socket, received } = dial();
    socket.write('hello');
    await until(() => received() === 'hello');

    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
  });

  it('cuts all connections at once', async () => {
    const clients = [dial(), dial()];
    await until(() => proxy.counts.open === 2);
    proxy.cut();

    expect(await Promise.all(clients.map(({ ended }) => ended))).toEqual(['ECONNRESET', 'ECONNRESET']);
    await until(() => proxy.counts.open === 0);
  });

  it('resets a client whose server is not there', async () => {
    echo.close();
    await once(echo, 'close');

    expect(await dial().ended).toBe('ECONNRESET');
  });
});
