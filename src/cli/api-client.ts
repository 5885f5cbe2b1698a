// A small client of the HTTP API. It uses node:http and not fetch, because fetch gives up after five minutes without an
// answer and a large model may take longer than that to load or to read a long prompt.
import { createReadStream } from 'node:fs';
import { STATUS_CODES, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { errorMessage } from '../errors/index.js';

/** Longest line of a stream; the official client has the same limit. */
const maxLineBytes = 8_000_000;

/** The server answered with an error, by status or by an `error` line in a stream. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly file?: { readonly path: string; readonly size: number; readonly onBytes: (numBytes: number) => void };
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

export class ApiClient {
  readonly #baseUrl: string;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  /** Throws a line that tells how to start the server when there is none. */
  async heartbeat(): Promise<void> {
    const response = await this.#send({ method: 'HEAD', path: '/' });
    response.resume();
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>({ method: 'GET', path });
  }

  post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.#json<T>({ method: 'POST', path, body, signal });
  }

  async delete(path: string, body: unknown): Promise<void> {
    await this.#json<unknown>({ method: 'DELETE', path, body });
  }

  /** One value for each line of the answer. Throws ApiError for an error status and for an `error` line. */
  async *stream<T>(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<T> {
    const response = await this.#send({ method: 'POST', path, body, accept: 'application/x-ndjson', signal });
    const status = response.statusCode ?? 0;
    if (status >= 400) {
      const prefix = `${status} ${response.statusMessage || (STATUS_CODES[status] ?? '')}`.trim();
      throw new ApiError(status, `${prefix}: ${errorText(await readBody(response))}`);
    }
    for await (const line of linesOf(response)) {
      const value = parseLine(line);
      if (typeof value === 'object' && value !== null && 'error' in value && typeof value.error === 'string') {
        throw new ApiError(status, value.error);
      }
      yield value as T;
    }
  }

  async hasBlob(digest: string): Promise<boolean> {
    const response = await this.#send({ method: 'HEAD', path: `/api/blobs/${digest}` });
    response.resume();
    return response.statusCode === 200;
  }

  /** Uploads a file as a blob; `onBytes` is told of each piece sent. */
  async uploadBlob(digest: string, file: NonNullable<Call['file']>, signal?: AbortSignal): Promise<void> {
    await this.#json<unknown>({ method: 'POST', path: `/api/blobs/${digest}`, file, signal });
  }

  /** JSON of the answer; undefined for an empty body. */
  async #json<T>(call: Call): Promise<T> {
    const response = await this.#send(call);
    const text = await readBody(response);
    const status = response.statusCode ?? 0;
    if (status >= 400) {
      throw new ApiError(status, errorText(text) || `${status} ${response.statusMessage ?? ''}`.trim());
    }
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async #send(call: Call): Promise<IncomingMessage> {
    const url = new URL(`${this.#baseUrl}${call.path}`);
    const content = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const length = content?.length ?? call.file?.size;
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: call.method,
      signal: call.signal,
      headers: {
        accept: call.accept ?? 'application/json',
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        ...(length === undefined ? {} : { 'content-length': length }),
      },
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', (error) => reject(connectionError(error)));
    });
    if (call.file === undefined) {
      request.end(content);
      return answer;
    }
    const { onBytes } = call.file;
    const source = createReadStream(call.file.path, { highWaterMark: 1 << 20 });
    source.on('data', (chunk) => onBytes(chunk.length));
    // A server may answer (and close) before it has read everything; then its answer counts, not the broken upload.
    const upload = pipeline(source, request).then(() => answer);
    return Promise.race([answer, upload.catch(() => answer)]);
  }
}

function connectionError(error: Error): Error {
  const code = 'code' in error ? error.code : undefined;
  return code === 'ECONNREFUSED'
    ? new Error("could not connect to tars server, run 'tars serve' to start it", { cause: error })
    : error;
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The `error` of an error body, or the body itself when it is something else. */
function errorText(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && 'error' in value) {
      return typeof value.error === 'string' ? value.error : JSON.stringify(value.error);
    }
  } catch {
    return body.trim();
  }
  return body.trim();
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`unexpected answer: ${line.slice(0, 200)} (${errorMessage(error)})`, { cause: error });
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineBytes) {
      throw new Error(`a line of the answer is longer than ${maxLineBytes} bytes`);
    }
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') {
    yield rest;
  }
}
