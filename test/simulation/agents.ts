/** Agents that check, reserve, dawdle, retry, send twice, forget and lie: each a life of its own, with dice of its own. */

import { type Caller, SCOPES } from '../../src/mcp/kit/caller.js';
import type { Dice } from './dice.js';
import { Killed } from './disk.js';
import type { Oracle } from './oracle.js';
import { type ServerProcess, Unreachable } from './server-process.js';
import { AHEAD_MS, type Story } from './story.js';
import type { Trace } from './trace.js';
import type { Universe } from './universe.js';

export interface AgentWorld {
  readonly universe: Universe;
  readonly trace: Trace;
  readonly oracle: Oracle;
  readonly servers: readonly ServerProcess[];
  readonly skus: readonly string[];
  readonly story: Pick<Story, 'beside' | 'buys' | 'refused' | 'ahead'>;
  /** Somebody buys one at the shop itself. */
  sellElsewhere(sku: string): void;
  /** The buyer pays at a link. */
  pay(link: string): void;
}

export interface Answered {
  readonly is_error: boolean;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Refusals that an agent meets with another attempt: nothing is known to have happened. */
const AGAIN: ReadonlySet<string> = new Set(['busy', 'internal', 'stock_stale', 'upstream_unavailable']);
const ATTEMPTS_MAX = 6;
const TTLS_S = [60, 60, 90, 120, 240] as const;

export class Agent {
  readonly name: string;
  readonly #world: AgentWorld;
  readonly #dice: Dice;
  readonly #caller: Caller;
  #keys = 0;

  constructor(name: string, world: AgentWorld, dice: Dice) {
    this.name = name;
    this.#world = world;
    this.#dice = dice;
    this.#caller = { principal: name, channel: null, origin: null, scopes: new Set(SCOPES) };
  }

  /** One customer. `only`: the SKU that everybody wants. */
  async run(only: string | null): Promise<void> {
    const lines = this.#wish(only);
    const skus = [...new Set(lines.map(({ sku }) => sku))];
    if (this.#dice.chance(0.4)) await this.#send('check_stock', { skus });
    const reserved = await this.#reserve(lines);
    if (reserved === null) return;
    const { reservation_id } = reserved;
    if (this.#dice.chance(0.15)) await this.#reserveOver(reserved);
    const intent = this.#dice.next();
    await this.#dawdle(reserved.ttl_seconds);
    if (intent < 0.72 && this.#world.story.buys) await this.#submitBeside(reserved, skus[0] ?? '');
    else if (intent < 0.84) await this.#release(reservation_id);
    else if (intent < 0.92) await this.#lie(reservation_id);
  }

  #wish(only: string | null): { sku: string; quantity: number }[] {
    const { skus } = this.#world;
    const count = only === null ? this.#dice.of([1, 1, 1, 2, 2, 3]) : 1;
    const lines = Array.from({ length: count }, () => ({
      sku: only ?? this.#dice.of(skus),
      quantity: this.#dice.of([1, 1, 1, 2, 2, 3]),
    }));
    // The same SKU in two lines: only the sum says whether there is enough.
    const [first] = lines;
    if (first !== undefined && this.#dice.chance(0.2)) lines.push({ ...first });
    return lines;
  }

  async #reserve(lines: readonly { sku: string; quantity: number }[]): Promise<Reserved | null> {
    const key = this.#dice.chance(0.8) ? this.#newKey() : undefined;
    const args = {
      lines,
      ttl_seconds: this.#dice.of(TTLS_S),
      allow_partial: this.#dice.chance(0.15),
      ...(key === undefined ? {} : { idempotency_key: key }),
    };
    this.#world.oracle.wishes(this.name);
    const answer = await this.#insist('reserve_units', args, key !== undefined);
    if (answer === null || answer.is_error) return null;
    return { ...(answer.content as unknown as Reserved), args, key };
  }

  /** The same key again: with the same arguments, or with others, which must be refused. */
  async #reserveOver({ args, key }: Reserved): Promise<void> {
    if (key === undefined) return;
    const other = this.#dice.chance(0.3);
    const again = other ? { ...args, ttl_seconds: 777 } : args;
    const answer = await this.#send('reserve_units', again);
    if (answer !== null && other) this.#world.oracle.reusedKey(this.name, answer);
  }

  async #dawdle(ttl_s: number): Promise<void> {
    const most_ms = Math.min(ttl_s * 1_250, 400_000);
    // Most are quick, some are too late, and some come at the very moment of the end.
    const draw = this.#dice.next();
    if (draw < 0.06) return this.#world.universe.sleep(ttl_s * 1_000 + this.#dice.between(-80, 80));
    await this.#world.universe.sleep(this.#dice.between(0, draw < 0.7 ? 20_000 : most_ms));
  }

  /** Many orders come at the very moment at which somebody else buys the same, and the shop is about to say so. */
  async #submitBeside({ reservation_id, stock_hash }: Reserved, sku: string): Promise<void> {
    const { universe } = this.#world;
    if (universe.chanceOf(`${this.name} beside`) < this.#world.story.beside) {
      this.#world.sellElsewhere(sku);
      await universe.sleep(Math.floor(950 + universe.chanceOf(`${this.name} soon`) * 400));
    }
    await this.#submit(reservation_id, stock_hash);
  }

  async #submit(reservation_id: string, stock_hash: string): Promise<void> {
    let hash = stock_hash;
    if (this.#dice.chance(0.15)) {
      const quoted = await this.#send('check_stock', { reservation_id });
      if (quoted !== null && !quoted.is_error) hash = String(quoted.content['stock_hash'] ?? hash);
    }
    const has_key = this.#dice.chance(0.85);
    const args = {
      reservation_id,
      stock_hash: hash,
      ...(has_key ? { idempotency_key: this.#newKey() } : {}),
      ...(this.#dice.chance(0.5) ? { buyer: { email: 'buyer@example.com' } } : {}),
      ...(this.#isRefused() ? { buyer: REFUSED_BUYER } : {}),
    };
    const answer = await this.#insist('submit_order_with_hash', args, true);
    if (answer === null || answer.is_error) return;
    await this.#world.universe.sleep(this.#dice.between(5_000, 60_000));
    const order = await this.#send('get_order', { order_id: answer.content['order_id'] });
    // The ledger was put back to a copy from before it.
    if (order !== null && codeOf(order) === 'order_unknown') {
      await this.#insist('submit_order_with_hash', args, true);
      return;
    }
    const link = order === null ? undefined : linkOf(order);
    if (link !== undefined && this.#world.universe.chanceOf(`${this.name} pays`) < PAYS)
      this.#world.pay(link);
    if (order !== null && isRefusal(order)) await this.#correct(reservation_id);
  }

  /** Not of its dice: a story in which nobody is refused is the same as without this. */
  #isRefused(): boolean {
    const { story, universe } = this.#world;
    return story.refused > 0 && universe.chanceOf(`${this.name} refused`) < story.refused;
  }

  /** The shop has refused the e-mail: corrected on the checksum of now, sent again as it was first, or left alone. */
  async #correct(reservation_id: string): Promise<void> {
    if (this.#dice.chance(0.2)) return;
    const quoted = await this.#send('check_stock', { reservation_id });
    const stock_hash = quoted?.content['stock_hash'];
    if (quoted === null || quoted.is_error || stock_hash === undefined) return;
    const again = () => ({ reservation_id, stock_hash, idempotency_key: this.#newKey() });
    if (this.#dice.chance(0.3)) {
      await this.#insist('submit_order_with_hash', { ...again(), buyer: REFUSED_BUYER }, true);
    }
    const buyer = { email: `corrected@${this.#dice.chance(0.2) ? 'other.invalid' : 'example.com'}` };
    const answer = await this.#insist('submit_order_with_hash', { ...again(), buyer }, true);
    if (answer === null || answer.is_error) return;
    await this.#world.universe.sleep(this.#dice.between(1_000, 30_000));
    await this.#send('get_order', { order_id: answer.content['order_id'] });
  }

  async #release(reservation_id: string): Promise<void> {
    const answer = await this.#insist('release_reservation', { reservation_id }, true);
    if (answer === null || answer.is_error || !this.#dice.chance(0.4)) return;
    await this.#send('release_reservation', { reservation_id });
  }

  async #lie(reservation_id: string): Promise<void> {
    const stock_hash = `sha256:${Array.from({ length: 64 }, () => this.#dice.of([...'0123456789abcdef'])).join('')}`;
    this.#world.oracle.fabricated(stock_hash);
    const strange = this.#world.oracle.anotherOnes(this.name, this.#dice.next());
    if (strange !== null && this.#dice.chance(0.5)) {
      const tool = this.#dice.of(['submit_order_with_hash', 'release_reservation', 'check_stock'] as const);
      const { reservation_id: theirs, stock_hash: their_hash } = strange;
      const args =
        tool === 'submit_order_with_hash'
          ? { reservation_id: theirs, stock_hash: their_hash }
          : { reservation_id: theirs };
      const answer = await this.#send(tool, args);
      if (answer !== null) this.#world.oracle.reachedForAnothers(this.name, theirs, answer);
      return;
    }
    await this.#send('submit_order_with_hash', { reservation_id, stock_hash });
  }

  /** Sends until it is answered for good. Without a key only what can't have happened is sent again. */
  async #insist(tool: string, args: object, is_safe: boolean): Promise<Answered | null> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const twice = is_safe && this.#dice.chance(0.12) ? this.#send(tool, args) : null;
      const answer = await this.#send(tool, args);
      await twice;
      if (answer !== null && !AGAIN.has(codeOf(answer) ?? '')) return answer;
      if (!is_safe) return null;
      await this.#world.universe.sleep(this.#dice.between(200, 9_000));
    }
    return null;
  }

  /** One call. Null when nobody knows what became of it. */
  async #send(tool: string, args: object): Promise<Answered | null> {
    const { universe, trace, oracle, servers, story } = this.#world;
    const server = this.#dice.of(servers);
    // A clock that was always ahead is behind when it has lost time since.
    const server_ms = universe.wall() - (story.ahead ? AHEAD_MS : 0);
    const sent_ms = Math.min(server_ms, universe.now_ms);
    trace.count('calls');
    try {
      const result = await server.call(tool, args, this.#caller);
      const content = (result.structuredContent ?? {}) as Readonly<Record<string, unknown>>;
      const answer: Answered = { is_error: result.isError === true, content };
      trace.note(universe.now_ms, this.name, `${server.name} ${tool} ${brief(args)} → ${told(answer)}`);
      oracle.answered({ by: this.name, tool, args, answer, sent_ms });
      return answer;
    } catch (error) {
      if (!(error instanceof Killed) && !(error instanceof Unreachable)) throw error;
      trace.note(universe.now_ms, this.name, `${server.name} ${tool} ${brief(args)} → no answer`);
      return null;
    }
  }

  #newKey(): string {
    this.#keys += 1;
    return `${this.name}-${this.#keys}`;
  }
}

const REFUSED_BUYER = { email: 'buyer@gmail.ru' };

function isRefusal({ content }: Answered): boolean {
  const reasons = (content['reasons'] ?? []) as readonly { readonly code: string }[];
  return content['status'] === 'held' && reasons.some(({ code }) => code === 'buyer_refused');
}

/** The share of buyers with a link who pay. */
const PAYS = 0.8;

function linkOf({ content }: Answered): string | undefined {
  return (content['upstream'] as { readonly checkout_url?: string } | null | undefined)?.checkout_url;
}

interface Reserved {
  readonly reservation_id: string;
  readonly stock_hash: string;
  readonly ttl_seconds: number;
  readonly args: object;
  readonly key: string | undefined;
}

export function codeOf(answer: Answered): string | undefined {
  const error = answer.content['error'] as { code?: string } | undefined;
  return error?.code;
}

/** Hashes and ids by their last digits, which are enough to tell them apart. */
function brief(value: unknown): string {
  return JSON.stringify(value)
    .replace(/sha256:[0-9a-f]{58}/gu, '#')
    .replace(/((?:res|ord)_)[0-9a-f]+([0-9a-f]{6})/gu, '$1$2');
}

function told(answer: Answered): string {
  if (answer.is_error) {
    const error = answer.content['error'] as { code?: string; message?: string } | undefined;
    return `refused: ${error?.code ?? 'malformed'}`;
  }
  const { reservation_id, order_id, status, hash_verdict, replayed, lines, items, expires_at } =
    answer.content;
  const atp = (items as { sku: string; available_to_promise: number }[] | undefined)?.map(
    (item) => `${item.sku} ${item.available_to_promise}`,
  );
  return brief({
    reservation_id,
    order_id,
    status,
    hash_verdict,
    replayed,
    expires_at,
    atp,
    ...(lines === undefined
      ? {}
      : { reserved: (lines as { reserved?: number }[]).map((line) => line.reserved) }),
  });
}
