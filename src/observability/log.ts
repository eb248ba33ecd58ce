/** Structured log lines on stderr: stdout belongs to JSON-RPC. */

import { pino } from 'pino';
import { sayable } from './redact.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Log {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Synchronous: a line that explains a crash must not be lost in a buffer. */
export function stderrLog(level: LogLevel): Log {
  return logTo(pino.destination({ dest: 2, sync: true }), level);
}

/** Text from outside is left out, whoever passes it (`sayable`). */
export function logTo(destination: { write(line: string): void }, level: LogLevel): Log {
  const logger = pino({ level, base: null }, destination);
  return {
    debug: (event, fields = {}) => logger.debug(sayable(fields), event),
    info: (event, fields = {}) => logger.info(sayable(fields), event),
    warn: (event, fields = {}) => logger.warn(sayable(fields), event),
    error: (event, fields = {}) => logger.error(sayable(fields), event),
  };
}
