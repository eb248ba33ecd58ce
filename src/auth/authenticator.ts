/** Who sends an HTTP request to /mcp. Nothing here reads arguments: who somebody is comes with the request alone. */

import type { IncomingMessage } from 'node:http';
import { type Bearer, LOCAL_CALLER, type Scope } from '../mcp/server.js';

/** An answer instead of the one asked for, ready to be written. */
export interface Challenge {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** A sentence of ours; nothing of the request is in it. */
  readonly message: string;
}

export type Judgement =
  | { readonly ok: true; readonly caller: Bearer }
  | { readonly ok: false; readonly challenge: Challenge };

export interface Authenticator {
  /**
   * A token that is no good is an answer, not an error: rejects only for bugs. `isWorn`: so many bad ones came from there of
   * late that nothing costly is done for one that is not known yet.
   */
  judge(request: IncomingMessage, isWorn?: boolean): Promise<Judgement>;
  /** The answer to a known caller whose token lacks a scope. */
  lacking(scope: Scope, caller: Bearer): Challenge;
}

/** Without tokens everybody who can reach this machine's loopback is the one caller `local`, who may do everything. */
export const OPEN_TO_LOOPBACK: Authenticator = {
  judge: async () => ({ ok: true, caller: LOCAL_CALLER }),
  lacking: () => {
    throw new Error('the local caller lacks nothing');
  },
};
