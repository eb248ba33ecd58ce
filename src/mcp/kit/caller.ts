/** Who calls a tool, and what they may do. Comes from the transport, never from arguments. */

/** Of tools and resources: what agents ask an issuer for. */
export const MCP_SCOPES = ['inventory:read', 'inventory:reserve', 'orders:submit'] as const;

/** Of /metrics, for what watches the server. */
export const METRICS_SCOPE = 'metrics:read';

export const SCOPES = [...MCP_SCOPES, METRICS_SCOPE] as const;

export type Scope = (typeof SCOPES)[number];

export interface Caller {
  /** The authenticated caller: a token's subject over HTTP, `local` over stdio. */
  readonly principal: string;
  /** Where they sell, as their token says; null when it says nothing. */
  readonly channel: string | null;
  /**
   * Stands for where the call came from, as coarse as the transport likes and never an address itself: callers that share
   * it share some quotas. Null where it means nothing.
   */
  readonly origin: string | null;
  readonly scopes: ReadonlySet<Scope>;
}

/** What a token alone says of whoever bears it: where a call comes from, only the transport knows. */
export type Bearer = Omit<Caller, 'origin'>;

/** Whoever started this process: everything on this machine is theirs anyway. */
export const LOCAL_CALLER: Caller = {
  principal: 'local',
  channel: null,
  origin: null,
  scopes: new Set(SCOPES),
};
