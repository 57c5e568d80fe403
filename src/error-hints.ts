const CERTIFICATE = 'the TLS certificate of the server is not trusted; set tls.ca in `connection`';
export const NO_ANSWER =
  'no answer in time; check host, port (does it speak TLS, or not?), firewall and load';
export const NOT_CONNECTED = 'not connected to Redis at this moment';

/** What to do about a code of Node, OpenSSL or Redis. Only errors with a code named here are explained. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there; is Redis running, and are host and port right?'],
  ['ENOTFOUND', 'no such host name; check the host in `connection`'],
  ['EAI_AGAIN', 'the name server did not answer; check DNS and the host in `connection`'],
  ['ENOENT', 'no such socket file; check the path in `connection`'],
  ['EACCES', 'the socket file may not be opened by this user'],
  ['ETIMEDOUT', NO_ANSWER],
  ['EHOSTUNREACH', 'no route to that host; check the host and the network'],
  ['ECONNRESET', 'the other side closed it; if it always does, does the port expect TLS (rediss://)?'],
  ['EPIPE', 'the other side closed the connection'],
  ['CERT_HAS_EXPIRED', 'the TLS certificate of the server has expired'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', CERTIFICATE],
  ['SELF_SIGNED_CERT_IN_CHAIN', CERTIFICATE],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', CERTIFICATE],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', CERTIFICATE],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the TLS certificate is for another host name; set tls.servername'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the server speaks no TLS on this port; use redis:// there'],
  ['TLS_ALERT', 'the server refused TLS; does it want a certificate it trusts (tls.cert, tls.key)?'],
  ['WRONGPASS', 'the user name or the password is wrong, or the user is off; check `connection`'],
  ['NOAUTH', 'the server wants a password; put it into `connection`'],
  ['NOPERM', 'the ACL of this user forbids a command or a key that this needs; aclRules() gives the rules'],
  ['WRONGTYPE', 'the key holds something that is not a stream; choose another `stream` or remove the key'],
  ['CROSSSLOT', 'keyPrefix and stream together hold a "}" but no hash tag; make it whole, such as {app}:'],
  ['LOADING', 'the server is reading its data set after a start; it passes'],
  ['BUSY', 'a script of somebody holds the server; it passes, or needs SCRIPT KILL'],
  ['OOM', 'the server is at maxmemory; raise it, or lower `retention`'],
  ['READONLY', 'this server is a replica; connect to the primary, or through Sentinel'],
  ['MASTERDOWN', 'the replica has lost its primary; it passes after a failover'],
  ['CLUSTERDOWN', 'the cluster has slots that nobody serves; check CLUSTER INFO'],
  ['NOREPLICAS', 'fewer replicas than min-replicas-to-write are in touch with the primary'],
  ['MISCONF', 'the server cannot save to disk and takes no writes; check its log'],
]);

/** Of Redis 6.2 to 7.4, in and outside of scripts. The name is of the server's own list; keys are not named. */
const DENIED_COMMAND = /permissions to run the '([a-z][a-z|_-]{0,40})' command/;

/** What to do about an error with this code; undefined where we know nothing. */
export function hintFor(code: string | undefined, message: unknown): string | undefined {
  if (code === undefined) return undefined;
  if (code.includes('_ALERT_')) return HINTS.get('TLS_ALERT');
  const denied =
    code === 'NOPERM' && typeof message === 'string' ? DENIED_COMMAND.exec(message)?.[1] : undefined;
  if (denied === undefined) return HINTS.get(code);
  return `the ACL of this user forbids the command ${denied}; allow it with ACL SETUSER (+${denied}), or use aclRules()`;
}
