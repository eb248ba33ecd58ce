import type { Authenticator } from '../../src/auth/authenticator.js';
import { SCOPES } from '../../src/mcp/kit/caller.js';

/** Takes everybody for one principal who may do everything. */
export function knownAs(principal: string): Authenticator {
  const caller = { principal, channel: null, scopes: new Set(SCOPES) };
  return {
    judge: async () => ({ ok: true, caller }),
    lacking: () => {
      throw new Error('this caller lacks nothing');
    },
  };
}
