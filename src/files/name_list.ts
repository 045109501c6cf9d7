/**
 * Lists of names, as the connectomes' `.lst` files hold them: a Python pickle
 * of a list of strings.
 *
 * @module
 */

import { InputError } from "./input_error.ts";
import { readPickle } from "./pickle.ts";
import { PickleTuple } from "./pickle_values.ts";

/**
 * Reads a list of names.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @throws {InputError} If the file is no pickle, or not one of a list of strings.
 *
 * @example
 * ```ts
 * import { readNameList } from "./src/files/name_list.ts";
 *
 * const bytes = Uint8Array.from("\x80\x03]q\x00X\x02\x00\x00\x00V1a.", (c) => c.charCodeAt(0));
 * readNameList(bytes, { name: "Names.lst" }); // ["V1"]
 * ```
 */
export function readNameList(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): string[] {
  const { value, end } = readPickle(bytes, { name });
  if (end !== bytes.length) {
    throw new InputError(
      `Cannot read "${name}": ${bytes.length - end} bytes follow its pickle`,
    );
  }
  const items = value instanceof PickleTuple ? value.items : value;
  if (!Array.isArray(items)) {
    throw new InputError(`Cannot read "${name}": it holds no list of names`);
  }
  return items.map((item: unknown, index) => {
    if (typeof item === "string") return item;
    throw new InputError(
      `Cannot read "${name}": entry ${index} of its list is no text`,
    );
  });
}
