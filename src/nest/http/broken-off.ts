import type { Exchange, RawResponse } from './exchange.js';

/** Codes of what a connection tells of the other end, or of what that sent; the rest is our own doing. */
const FROM_CLIENT =
  /^(?:ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|HPE_.*|ERR_SSL_.*|ERR_HTTP_REQUEST_TIMEOUT|ERR_HTTP2_STREAM_ERROR)$/;

/** `NGHTTP2_CANCEL`, which Node also notes for all streams of a connection that the client has left. */
const CANCEL = 8;

/** Was the whole response handed to the system? HTTP/2 calls every response finished whose stream has closed. */
export function isWhole({ stream, writableEnded }: RawResponse, hasFinished: boolean): boolean {
  if (stream === undefined) return hasFinished;
  return hasFinished && writableEnded && stream.writableFinished;
}

/**
 * Of a response that broke off: was it the client who went? Node says so of none, and tells the request `aborted` either
 * way. Who went has ended the readable side of the connection, or left an error of the network there.
 */
export function hasClientGone(exchange: Exchange): boolean {
  const { request, response } = exchange;
  const { stream } = response;
  if (stream === undefined) {
    return (request.raw ?? request).socket?.readableEnded === true || hasNetworkError(exchange);
  }
  if (stream.rstCode === CANCEL || hasNetworkError(exchange)) return true;
  return stream.rstCode === 0 && stream.writableFinished;
}

/** The connection has an error that nobody here has given it: one of another connection may have the same code. */
function hasNetworkError(exchange: Exchange): boolean {
  const error = connectionError(exchange);
  const { request, response, source } = exchange;
  if (error?.code === undefined || !FROM_CLIENT.test(error.code)) return false;
  return ![response.errored, (request.raw ?? request).errored, source?.errored].includes(error);
}

/** The error that a response broke off with on our side, where anybody has said. */
export function causeOf(exchange: Exchange): Error | undefined {
  const { response, source } = exchange;
  return response.errored ?? connectionError(exchange) ?? source?.errored ?? undefined;
}

function connectionError({ request, response }: Exchange): NodeJS.ErrnoException | undefined {
  return (response.stream ?? (request.raw ?? request).socket)?.errored ?? undefined;
}
