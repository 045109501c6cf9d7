/**
 * The part of node:path that modules of the page use, for browsers.
 *
 * @module
 */

export const basename = (path: string) => path.split("/").at(-1)!;
export const dirname = (path: string) => path.split("/").slice(0, -1).join("/");
export const extname = (path: string) => /\.[^.]*$/.exec(path)?.[0] ?? "";
export const join = (...parts: string[]) => parts.join("/");
export const resolve = join;
