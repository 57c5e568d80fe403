// A collector that takes everything and keeps nothing: the cheapest that an OTLP exporter can talk to.
import { once } from 'node:events';
import { createServer } from 'node:http';

export async function open() {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.setHeader('content-type', 'application/x-protobuf');
      response.end();
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: async () => `http://127.0.0.1:${server.address().port}` };
}
