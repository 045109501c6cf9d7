/**
 * The part of node:crypto that modules of the page use, for browsers.
 *
 * @module
 */

import { sha256 } from "npm:@noble/hashes@2.4.0/sha2.js";

export function createHash() {
  const hash = sha256.create();
  const self = {
    update(data: Uint8Array | string) {
      hash.update(
        typeof data === "string" ? new TextEncoder().encode(data) : data,
      );
      return self;
    },
    digest() {
      return [...hash.digest()].map((b) => b.toString(16).padStart(2, "0"))
        .join("");
    },
  };
  return self;
}
