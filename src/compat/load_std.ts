/**
 * Loads modules of the standard library from JSR, where that can be reached.
 *
 * @module
 */

import denoConfig from "../../deno.json" with { type: "json" };

/** Milliseconds in which a module comes out of Deno's cache, also on a busy machine; JSR itself may take longer. */
const PATIENCE = 50;

/** Milliseconds for which nobody asks again, once JSR gave no answer. */
const SILENCE = 3_600_000;

const KEY = "biornn: JSR gave no answer at";

/**
 * The module, or undefined where it is neither in Deno's cache nor comes at
 * once. A firewall that drops what it does not allow, as around the nodes of a
 * cluster, gives no answer for minutes: no command waits for that, and for the
 * next hour none asks. What comes late is in the cache the next time.
 *
 * @param name The package, whose version stands in `deno.json`.
 * @param path The module in it, e.g. "parse".
 */
export async function loadStd(
  name: keyof typeof denoConfig.imports,
  path: string,
): Promise<unknown> {
  const silence = inStorage((storage) => storage.getItem(KEY));
  if (Date.now() - Number(silence ?? -Infinity) < SILENCE) return undefined;
  const patience = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    inStorage((storage) => storage.setItem(KEY, `${Date.now()}`));
    patience.resolve(undefined);
  }, PATIENCE);
  try {
    // Not a literal: what Deno can read it loads before it runs anything, however long that takes. And no name that
    // deno.json maps: from other folders it maps nothing.
    const specifier = `${denoConfig.imports[name]}/${path}`;
    return await Promise.race([
      import(specifier).then((module) => {
        // Asked again: that it is late may have been noted meanwhile.
        inStorage((storage) => {
          if (storage.getItem(KEY) !== null) storage.removeItem(KEY);
        });
        return module;
      }, () => undefined),
      patience.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is done with Deno's storage; undefined where there is none, e.g. on a disk that can only be read. */
function inStorage<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}
