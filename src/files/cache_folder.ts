/**
 * Where downloaded files are kept.
 *
 * @module
 */

import { join } from "node:path";

/** What the folder depends on. */
export interface CacheFolderOptions {
  /** Value of an environment variable, default `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
  /** The operating system, default this one's. */
  readonly os?: typeof Deno.build.os;
}

/**
 * The folder for downloads: `BIORNN_CACHE` where it is set, else `biornn` in
 * the system's folder for caches (`XDG_CACHE_HOME` or `~/.cache`; on macOS
 * `~/Library/Caches`; on Windows `LOCALAPPDATA`). Undefined where none of
 * these is set; an empty variable counts as not set.
 *
 * @example
 * ```ts
 * import { cacheFolder } from "./src/files/cache_folder.ts";
 *
 * cacheFolder(); // e.g. "/home/me/.cache/biornn"
 * ```
 */
export function cacheFolder(
  { env = (name) => Deno.env.get(name), os = Deno.build.os }:
    CacheFolderOptions = {},
): string | undefined {
  const own = env("BIORNN_CACHE");
  if (own) return own;
  const home = env("HOME") || undefined;
  if (os === "windows") {
    const local = env("LOCALAPPDATA") || env("USERPROFILE");
    return local ? join(local, "biornn", "cache") : undefined;
  }
  if (os === "darwin") {
    return home === undefined
      ? undefined
      : join(home, "Library", "Caches", "biornn");
  }
  const xdg = env("XDG_CACHE_HOME");
  // The XDG specification has relative paths ignored.
  if (xdg && xdg.startsWith("/")) return join(xdg, "biornn");
  return home === undefined ? undefined : join(home, ".cache", "biornn");
}
