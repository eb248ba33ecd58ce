/** Entities by id, and in the order of their numbers without sorting: lists of 100,000 are paged through often. */

import { numberOfGid } from './gid.js';

export class EntityMap<T extends { readonly id: string }> extends Map<string, T> {
  #inOrder: readonly T[] | null = null;
  #lastNumber = -1n;

  /** A new entity must have a higher number than all before it, as those of a `Sequence` have. Throws otherwise. */
  override set(id: string, entity: T): this {
    if (!this.has(id)) {
      const number = BigInt(numberOfGid(id));
      if (number <= this.#lastNumber) throw new Error(`${id} comes after an entity with a higher number`);
      this.#lastNumber = number;
    }
    this.#inOrder = null;
    return super.set(id, entity);
  }

  override delete(id: string): boolean {
    this.#inOrder = null;
    return super.delete(id);
  }

  override clear(): void {
    this.#inOrder = null;
    super.clear();
  }

  /** All of them, lowest number first. The list is made anew after a change, not changed. */
  inOrder(): readonly T[] {
    this.#inOrder ??= [...this.values()];
    return this.#inOrder;
  }
}
