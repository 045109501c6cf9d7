/**
 * Reads the PNG files that the tests look into, checksums of all parts included.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { PNG } from "npm:pngjs@7.0.0";

/** Pixels of a picture. */
export interface DecodedPng {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 4]`, 0 to 255. */
  readonly rgba: Uint8Array;
}

/** Reads a PNG of true colour or with a palette. */
export function decodePng(bytes: Uint8Array): DecodedPng {
  const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
  return { width, height, rgba: data };
}
