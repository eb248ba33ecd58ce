/** What a client has to know to get a token for this server (RFC 9728). Anybody may read it, web pages too. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { getOAuthProtectedResourceMetadataUrl } from '@modelcontextprotocol/server';
import { MCP_SCOPES } from '../mcp/server.js';

export interface ResourceMetadata {
  /** Where clients find it; challenges name it. */
  readonly url: string;
  /** Whether this path of a request asks for it. */
  isFor(path: string): boolean;
  handle(request: IncomingMessage, response: ServerResponse): void;
}

const ROOT_PATH = '/.well-known/oauth-protected-resource';

/** `resource`: the address of /mcp as clients know it. */
export function resourceMetadata(resource: string, issuer: string): ResourceMetadata {
  const url = getOAuthProtectedResourceMetadataUrl(new URL(resource));
  // A proxy may lead another path here than the one it is known under.
  const paths: readonly string[] = [ROOT_PATH, `${ROOT_PATH}/mcp`, new URL(url).pathname];
  const body = JSON.stringify({
    resource,
    authorization_servers: [issuer],
    scopes_supported: MCP_SCOPES,
    bearer_methods_supported: ['header'],
    resource_name: 'Holdfast',
  });
  return {
    url,
    isFor: (path) => paths.includes(path),
    handle: ({ method }, response) => answer(method, body, response),
  };
}

function answer(method: string | undefined, body: string, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', '*');
  if (method === 'OPTIONS') {
    response.writeHead(204, {
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': '*',
      'access-control-max-age': '86400',
    });
    response.end();
  } else if (method === 'GET' || method === 'HEAD') {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' });
    response.end(method === 'HEAD' ? undefined : body);
  } else {
    response.writeHead(405, { allow: 'GET, HEAD, OPTIONS' }).end();
  }
}
