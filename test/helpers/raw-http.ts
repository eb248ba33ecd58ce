/** HTTP as bytes on a socket: no client of ours tidies up what is sent. */

import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends what is given and reads until the server closes: have it say `Connection: close`. */
export async function sendBytes(origin: string, bytes: string): Promise<RawAnswer> {
  const socket = await connected(origin);
  socket.write(bytes);
  return answerOn(socket);
}

export function connected(origin: string): Promise<Socket> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** What the server has said when it has closed. */
export async function answerOn(socket: Socket): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  return parsed(Buffer.concat(chunks).toString('utf8'));
}

/** A POST to /mcp. `headers` go before those that every request needs. */
export function post(headers: readonly string[], body: string): string {
  return [
    'POST /mcp HTTP/1.1',
    'Host: 127.0.0.1',
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

export const JSON_CLIENT = ['Content-Type: application/json', 'Accept: application/json, text/event-stream'];

export function toolCall(name: string, args: object, more: object = {}): string {
  const params = { name, arguments: args, ...more };
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
}

function parsed(text: string): RawAnswer {
  const [head = '', ...body] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const [name = '', ...value] = line.split(': ');
    return [name.toLowerCase(), value.join(': ')];
  });
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers),
    body: body.join('\r\n\r\n'),
  };
}
