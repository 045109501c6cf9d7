/**
 * Vega, for what draws here and for the page in the browser; nothing else may
 * come along into a page's scripts.
 *
 * @module
 */

export * as vega from "npm:vega@6.4.0";

/** Where its build for browsers lies: a package, and a file in it. */
export const VEGA_BUILD = ["npm:vega@6.4.0", "vega.min.js"] as const;
