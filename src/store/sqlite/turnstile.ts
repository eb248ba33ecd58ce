/** Fairness between processes on one ledger file: whoever waits longest writes next. A hint, never a lock. */

export interface Turnstile {
  /** Resolves, or answers at once when nobody else is there, with the function that gives the turn back. */
  enter(): Promise<() => void> | (() => void);
  close(): Promise<void>;
}

/** For one process alone: always its turn. */
export const openTurnstile: Turnstile = {
  enter: () => leaveNothing,
  close: async () => {},
};

function leaveNothing(): void {}
