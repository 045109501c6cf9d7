/**
 * Loads a module of the standard library from JSR, where that can be reached.
 *
 * @module
 */

/**
 * Milliseconds to wait for JSR. A firewall that drops what it does not allow,
 * as around the nodes of a cluster, gives no answer for minutes.
 */
const PATIENCE = 2000;

/**
 * The module, or undefined where it is neither in Deno's cache nor to be had
 * within two seconds.
 *
 * @param specifier E.g. "@std/ini/parse", as `deno.json` maps it.
 */
export async function loadStd(specifier: string): Promise<unknown> {
  const patience = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => patience.resolve(undefined), PATIENCE);
  try {
    // Not a literal: what Deno can read it loads before it runs anything, however long that takes.
    return await Promise.race([
      import(specifier).catch(() => undefined),
      patience.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
