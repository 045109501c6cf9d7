/**
 * What a Python pickle can hold, as data. Classes, functions and calls stay
 * names and arguments: nothing of them is ever looked up or run.
 *
 * @module
 */

/** A value of a pickle: a list comes as an array, a dictionary as a `Map`, bytes as `Uint8Array`. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleTuple
  | PickleGlobal
  | PickleCall
  | PicklePersistentId;

/** A tuple. */
export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** The name of a class or function. */
export class PickleGlobal {
  /** As in Python, e.g. `collections.OrderedDict`. */
  readonly path: string;
  constructor(module: string, name: string) {
    this.path = `${module}.${name}`;
  }
}

/** A call that Python would make, and what it would then put into the result. */
export class PickleCall {
  /** What Python would hand to `__setstate__`. */
  state: PickleValue | undefined;
  /** What Python would append. */
  readonly appended: PickleValue[] = [];
  /** What Python would set by key. */
  readonly entries: [PickleValue, PickleValue][] = [];
  constructor(
    readonly callee: PickleGlobal,
    readonly args: readonly PickleValue[],
  ) {}
}

/** A value that lies outside the pickle, as the tensors' elements do. */
export class PicklePersistentId {
  constructor(readonly id: PickleValue) {}
}
