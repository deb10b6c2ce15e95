import { execFile, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Serves the repositories below a directory over HTTP, by git's own program for web servers. */
export interface GitServer {
  /** Such as `http://127.0.0.1:4711`; a repository's name follows. */
  readonly url: string;
  /** How many requests came. */
  readonly requests: () => number;
  readonly close: () => Promise<void>;
}

export async function serveGit(directory: string): Promise<GitServer> {
  const { stdout } = await promisify(execFile)('git', ['--exec-path']);
  const backend = join(stdout.trim(), 'git-http-backend');
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(backend, directory, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The common gateway interface (RFC 3875), as much of it as git needs. */
function answer(backend: string, directory: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const env = {
    PATH: process.env['PATH'] ?? '',
    GIT_PROJECT_ROOT: directory,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    GIT_PROTOCOL: `${request.headers['git-protocol'] ?? ''}`,
    HTTP_CONTENT_ENCODING: `${request.headers['content-encoding'] ?? ''}`,
  };
  const child = spawn(backend, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.once('close', () => {
    const said = Buffer.concat(chunks);
    const end = said.indexOf('\r\n\r\n');
    const fields = said
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': '));
    const headers = Object.fromEntries(fields.map(([name = '', value = '']) => [name.toLowerCase(), value]));
    response.writeHead(Number.parseInt(headers['status'] ?? '200', 10), headers);
    response.end(said.subarray(end + 4));
  });
}
