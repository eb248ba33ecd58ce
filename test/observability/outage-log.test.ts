import { beforeEach, expect, it } from 'vitest';
import { OutageLog } from '../../src/observability/outage-log.js';

const GAP_MS = 60_000;

let lines: [level: string, event: string, fields: Record<string, unknown> | undefined][];
let now: number;
let log: OutageLog;

beforeEach(() => {
  lines = [];
  now = 0;
  const to =
    (level: string) =>
    (event: string, fields?: Record<string, unknown>): void =>
      void lines.push([level, event, fields]);
  const inner = { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
  log = new OutageLog(inner, () => now, GAP_MS);
});

const seen = (): string[] => lines.filter(([level]) => level !== 'debug').map(([, event]) => event);
const unreachable = (): Error => Object.assign(new Error('x'), { failure: 'unreachable' });

it('an outage is a line when it begins and one when it is over, however many calls and loops meet it', () => {
  log.info('shop call failed, trying again', { failure: 'unreachable' });
  expect(seen()).toEqual([]);
  for (let n = 0; n < 100; n += 1) {
    now += 1_000;
    log.warn('shop call failed', { failure: 'unreachable', code: 'never_sent' });
    log.warn('loop_failed', { loop: 'heartbeat', error: unreachable() });
  }
  expect(seen()).toEqual(['shop_unreachable']);
  now += 1_000;
  log.answered();
  log.answered();
  expect(seen()).toEqual(['shop_unreachable', 'shop_answers_again']);
  expect(lines.find(([, event]) => event === 'shop_unreachable')?.[2]).toMatchObject({ code: 'never_sent' });
  expect(lines.at(-1)?.[2]).toEqual({ after: 'shop_unreachable', after_seconds: 100 });
  // What was left out is there for whoever asks for it.
  expect(lines.filter(([level]) => level === 'debug')).toHaveLength(201);
});

it('what is no outage is written as it is', () => {
  log.warn('loop_failed', { loop: 'inbox', error: new Error('a bug') });
  log.warn('heartbeat_failed', { failure: 'scope_missing' });
  log.error('tool_bug', { error: unreachable() });
  expect(seen()).toEqual(['loop_failed', 'heartbeat_failed', 'tool_bug']);
});

it('a token that is refused is told of by its own name, also when it follows another outage', () => {
  log.warn('shop call failed', { failure: 'unreachable' });
  now += GAP_MS;
  log.warn('shop call failed', { failure: 'unauthorized' });
  log.warn('shop call failed', { failure: 'unauthorized' });
  expect(seen()).toEqual(['shop_unreachable', 'shop_refuses_us']);
});

it('a shop that comes and goes is told of once a minute, and an outage that stays is told of in the end', () => {
  for (let n = 0; n < 30; n += 1) {
    now += 1_000;
    log.warn('shop call failed', { failure: 'unreachable' });
    log.answered();
  }
  expect(seen()).toEqual(['shop_unreachable', 'shop_answers_again']);
  now += 1_000;
  log.warn('shop call failed', { failure: 'unreachable' });
  now += GAP_MS;
  log.warn('shop call failed', { failure: 'unreachable' });
  expect(seen()).toEqual(['shop_unreachable', 'shop_answers_again', 'shop_unreachable']);
});
