/**
 * Downloads of files whose content is known beforehand, and where they are
 * kept.
 *
 * @module
 */

import { join } from "node:path";
import { sha256Hex } from "./bytes.ts";

/** Milliseconds after which a file that does not come is given up. */
const TIMEOUT = 60_000;

/** What the file must be. */
export interface KnownFile {
  readonly address: string;
  readonly bytes: number;
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** The part of the system's `fetch` that a download needs. */
export type Fetch = (
  address: string,
  init: { readonly signal: AbortSignal; readonly redirect: "error" },
) => Promise<Response>;

/** A download that failed or was refused; the message is the reason, to be put into a sentence. */
export class DownloadError extends Error {
  override name = "DownloadError";
}

/**
 * The bytes of a file that has the size and the checksum it is known by. No
 * more is read than the size says, and no redirection is followed.
 *
 * @throws {DownloadError} If it can't be had, or is not the file that is known.
 */
export async function download(
  { address, bytes, sha256 }: KnownFile,
  { fetch = globalThis.fetch }: { readonly fetch?: Fetch | undefined } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  let content: Uint8Array<ArrayBuffer>;
  try {
    const response = await fetch(address, {
      signal: AbortSignal.timeout(TIMEOUT),
      redirect: "error",
    });
    content = await receive(response, bytes);
  } catch (error) {
    throw new DownloadError(reasonOf(error, address), { cause: error });
  }
  const found = await sha256Hex(content);
  if (found === sha256) return content;
  throw new DownloadError(`its SHA-256 is ${found}, but should be ${sha256}`);
}

async function receive(
  response: Response,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.ok) {
    await response.body?.cancel();
    throw new DownloadError(`the server answered ${response.status}`);
  }
  const content = new Uint8Array(bytes);
  let length = 0;
  for await (const chunk of response.body ?? []) {
    if (length + chunk.length > bytes) {
      throw new DownloadError(
        `it is longer than the ${bytes} bytes it should have`,
      );
    }
    content.set(chunk, length);
    length += chunk.length;
  }
  if (length === bytes) return content;
  throw new DownloadError(`it ended after ${length} of ${bytes} bytes`);
}

function reasonOf(error: unknown, address: string): string {
  if (error instanceof DownloadError) return error.message;
  const { host } = new URL(address);
  if (error instanceof Deno.errors.NotCapable) {
    return `this program may not reach ${host} (--allow-net)`;
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `${host} did not send it within ${TIMEOUT / 1000} s`;
  }
  return `${host} can't be reached or broke off`;
}

/**
 * The folder for downloads: `BIORNN_CACHE` where it is set, else `biornn` in
 * the system's folder for caches (`XDG_CACHE_HOME` or `~/.cache`; on macOS
 * `~/Library/Caches`; on Windows `LOCALAPPDATA`). Undefined where none of
 * these is set; an empty variable counts as not set.
 */
export function cacheFolder(
  { env = (name) => Deno.env.get(name), os = Deno.build.os }: {
    readonly env?: (name: string) => string | undefined;
    readonly os?: typeof Deno.build.os;
  } = {},
): string | undefined {
  const own = env("BIORNN_CACHE");
  if (own) return own;
  const inside = (folder: string | undefined, ...names: string[]) =>
    folder ? join(folder, ...names) : undefined;
  if (os === "windows") {
    const local = env("LOCALAPPDATA") || env("USERPROFILE");
    return inside(local, "biornn", "cache");
  }
  const home = env("HOME");
  if (os === "darwin") return inside(home, "Library", "Caches", "biornn");
  const xdg = env("XDG_CACHE_HOME");
  // The XDG specification has relative paths ignored.
  return xdg?.startsWith("/")
    ? inside(xdg, "biornn")
    : inside(home, ".cache", "biornn");
}
