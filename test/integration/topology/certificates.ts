import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Two authorities, and a server's certificate for 127.0.0.1 and localhost that the first of them signed. */
export interface Certificates extends Disposable {
  readonly ca: string;
  readonly otherCa: string;
  /** Lines of redis.conf for a server that speaks TLS on this port, and nothing else. */
  config(port: number): string[];
}

/** Makes them with openssl, which every system that runs Redis has. */
export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'rl-tls-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = (name: string): string => {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
    openssl('req', '-x509', ...newKey, ...files, '-days', '2', '-subj', `/CN=${name} of a test`);
    return readFileSync(join(directory, `${name}.crt`), 'utf8');
  };
  const ca = authority('ca');
  const otherCa = authority('other');
  openssl(
    ...['req', '-x509', ...newKey, '-keyout', 'server.key', '-out', 'server.crt', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-CA', 'ca.crt', '-CAkey', 'ca.key'],
  );
  return {
    ca,
    otherCa,
    config: (port) => [
      'port 0',
      `tls-port ${port}`,
      `tls-cert-file "${join(directory, 'server.crt')}"`,
      `tls-key-file "${join(directory, 'server.key')}"`,
      `tls-ca-cert-file "${join(directory, 'ca.crt')}"`,
      'tls-auth-clients no',
    ],
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
