// Requests over connections that are kept, the next one as soon as the last is answered. Plain sockets: an HTTP client
// would be slower than the server that is measured.
import { connect } from 'node:net';

const CONNECTIONS = 32;
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench/1.0\r\naccept: */*\r\n\r\n';
const END = 'Hello World!';

export async function open() {
  return {
    /** Requests a second. */
    async run({ port, requests }) {
      const share = Math.ceil(requests / CONNECTIONS);
      const started = performance.now();
      await Promise.all(Array.from({ length: CONNECTIONS }, () => connection(port, share)));
      return (share * CONNECTIONS * 1_000) / (performance.now() - started);
    },
  };
}

function connection(port, requests) {
  return new Promise((resolve, reject) => {
    let left = requests;
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(REQUEST));
    socket.setEncoding('latin1');
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += chunk;
      if (!text.endsWith(END)) return;
      if (!text.startsWith('HTTP/1.1 200')) return reject(new Error(text.slice(0, 200)));
      text = '';
      if (--left > 0) return socket.write(REQUEST);
      socket.end();
      resolve();
    });
  });
}
