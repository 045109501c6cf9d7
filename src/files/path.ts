/**
 * Paths, as `node:path` makes them, in browsers too: what reads a config or names
 * a result there has no Node.
 *
 * @module
 */

export { basename, dirname, join, resolve } from "npm:pathe@2.0.3";
