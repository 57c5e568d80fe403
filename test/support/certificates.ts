import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What openssl's `ca` command needs to know; it alone can make certificates that have expired already. */
const CA_CONFIG = `
[ca]
default_ca = local
[local]
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;

export interface Certificate {
  /** Paths, for the server's configuration. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Contents, for a client's `tls` options. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Subject alternative names. Default `DNS:localhost,IP:127.0.0.1`. */
  readonly names?: string;
  /** Valid until yesterday. Default false. */
  readonly isExpired?: boolean;
}

/** Makes a certificate authority in a temporary directory, with openssl, and has it sign certificates. */
export async function startCertificateAuthority(): Promise<CertificateAuthority> {
  const directory = await mkdtemp(join(tmpdir(), 'rl-ca-'));
  const authority = new CertificateAuthority(directory);
  await authority.start();
  return authority;
}

export class CertificateAuthority implements AsyncDisposable {
  readonly caFile: string;
  readonly #directory: string;
  #ca = '';
  #issued = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.caFile = join(directory, 'ca.crt');
  }

  /** The authority's own certificate. */
  get ca(): string {
    return this.#ca;
  }

  async start(): Promise<void> {
    await writeFile(join(this.#directory, 'ca.cnf'), CA_CONFIG);
    await writeFile(join(this.#directory, 'index.txt'), '');
    const subject = [
      '-subj',
      '/CN=authority of the tests',
      '-days',
      '2',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
    ];
    await this.#openssl(['req', '-x509', ...newKey(), ...subject]);
    this.#ca = await readFile(this.caFile, 'utf8');
  }

  async issue({
    names = 'DNS:localhost,IP:127.0.0.1',
    isExpired = false,
  }: CertificateOptions = {}): Promise<Certificate> {
    const name = `c${++this.#issued}`;
    const request = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`];
    await this.#openssl(['req', ...newKey(), ...request, '-keyout', `${name}.key`, '-out', `${name}.csr`]);
    const dates = isExpired ? ['-startdate', asn1Day(-10), '-enddate', asn1Day(-1)] : ['-days', '1'];
    const signing = ['-batch', '-notext', '-cert', 'ca.crt', '-keyfile', 'ca.key', '-in', `${name}.csr`];
    await this.#openssl(['ca', '-config', 'ca.cnf', ...signing, ...dates, '-out', `${name}.crt`]);
    const [certFile, keyFile] = [join(this.#directory, `${name}.crt`), join(this.#directory, `${name}.key`)];
    return {
      certFile,
      keyFile,
      cert: await readFile(certFile, 'utf8'),
      key: await readFile(keyFile, 'utf8'),
    };
  }

  /** Lines of redis.conf for a server that speaks TLS on this port. `clients`: whether they must show a certificate. */
  serverConfig({ certFile, keyFile }: Certificate, port: number, clients: 'no' | 'yes' = 'no'): string[] {
    return [
      `tls-port ${port}`,
      `tls-cert-file "${certFile}"`,
      `tls-key-file "${keyFile}"`,
      `tls-ca-cert-file "${this.caFile}"`,
      `tls-auth-clients ${clients}`,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #openssl(args: string[]): Promise<void> {
    await run('openssl', args, { cwd: this.#directory });
  }
}

/** Elliptic curves: RSA keys take a second each. */
function newKey(): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
}

/** Midnight of a day before or after this one, as openssl takes it: YYYYMMDDHHMMSSZ. */
function asn1Day(days: number): string {
  const date = new Date(Date.now() + days * 86_400_000);
  return `${date.toISOString().slice(0, 10).replaceAll('-', '')}000000Z`;
}
