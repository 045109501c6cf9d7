/**
 * The part of node:zlib that modules of the page use, for browsers.
 *
 * @module
 */

export { gunzipSync } from "npm:fflate@0.8.2";
