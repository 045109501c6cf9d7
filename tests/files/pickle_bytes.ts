/**
 * Python pickles for the tests, put together of their instructions; each
 * function gives the instructions that push one value.
 *
 * @module
 */

import { integer } from "./binary.ts";

/** A whole pickle. */
export function pickle(value: string, protocol = 2): string {
  return `\x80${String.fromCharCode(protocol)}${value}.`;
}

/** An integer of 32 bits. */
export function int(value: number): string {
  return `J${integer(value, 4)}`;
}

/** A string of ASCII characters. */
export function str(value: string): string {
  return `X${integer(value.length, 4)}${value}`;
}

export function tuple(...items: readonly string[]): string {
  return `(${items.join("")}t`;
}

export function list(...items: readonly string[]): string {
  return `](${items.join("")}e`;
}

/** A class or function, `module.name`. */
export function global(path: string): string {
  const dot = path.lastIndexOf(".");
  return `c${path.slice(0, dot)}\n${path.slice(dot + 1)}\n`;
}

/** A call of a class or function. */
export function call(path: string, ...args: readonly string[]): string {
  return `${global(path)}${tuple(...args)}R`;
}

/** An ordered dictionary of `key, value, …`. */
export function orderedDict(...entries: readonly string[]): string {
  return `${call("collections.OrderedDict")}(${entries.join("")}u`;
}

/** What a tensor and its storage are. */
export interface TensorPickle {
  /** Default `torch.FloatStorage`. */
  readonly storage?: string;
  readonly key: string;
  /** Number of elements of the storage. */
  readonly length: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** The legacy format has a sixth part in its ids. */
  readonly legacy?: boolean;
  /** PyTorch 2's seventh argument. */
  readonly marks?: string;
}

/** A tensor, as torch.save pickles it. */
export function tensor(
  {
    storage = "torch.FloatStorage",
    key,
    length,
    offset = 0,
    shape,
    strides,
    legacy = false,
    marks,
  }: TensorPickle,
): string {
  const id = tuple(
    str("storage"),
    global(storage),
    str(key),
    str("cpu"),
    int(length),
    ...(legacy ? ["N"] : []),
  );
  return call(
    "torch._utils._rebuild_tensor_v2",
    `${id}Q`,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    "\x89",
    call("collections.OrderedDict"),
    ...(marks === undefined ? [] : [marks]),
  );
}

/** A file of PyTorch before 1.6, of the pickle of its object and its storages. */
export function legacyFile(
  object: string,
  storages: readonly { key: string; length: number; data: string }[],
): string {
  return pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") +
    pickle("M\xe9\x03") +
    pickle(
      `}(${str("protocol_version")}M\xe9\x03${str("little_endian")}\x88u`,
    ) +
    pickle(object) +
    pickle(list(...storages.map(({ key }) => str(key)))) +
    storages.map(({ length, data }) => integer(length, 8) + data).join("");
}
