/**
 * Reads the PNG files that the tests look into: 8 bits, no interlacing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";

/** Pixels of a picture. */
export interface DecodedPng {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 4]`, 0 to 255. */
  readonly rgba: Uint8Array;
}

const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 3: 1, 6: 4 };

/** Undoes a row's filter, by the specification's numbers. */
function predict(filter: number, left: number, up: number, both: number) {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter === 0) return 0;
  const p = left + up - both;
  const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - both)];
  return a <= b && a <= c ? left : b <= c ? up : both;
}

/** Reads a PNG of true colour or with a palette. */
export function decodePng(bytes: Uint8Array): DecodedPng {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  assert.equal(view.getUint32(0), 0x89504e47);
  const data: Uint8Array[] = [];
  let palette = new Uint8Array();
  for (let at = 8; at < bytes.length;) {
    const length = view.getUint32(at);
    const type = new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
    const chunk = bytes.slice(at + 8, at + 8 + length);
    if (type === "IDAT") data.push(chunk);
    if (type === "PLTE") palette = chunk;
    at += 12 + length;
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const type = bytes[25] as number;
  const channels = CHANNELS[type];
  assert.ok(channels !== undefined && bytes[24] === 8);
  const packed = new Uint8Array(
    inflateSync(
      data.reduce((all, part) => Uint8Array.of(...all, ...part)),
    ),
  );
  const stride = width * channels;
  const raw = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = packed[y * (stride + 1)] as number;
    for (let i = 0; i < stride; i++) {
      const left = i < channels ? 0 : raw[y * stride + i - channels] as number;
      const up = y === 0 ? 0 : raw[(y - 1) * stride + i] as number;
      const both = y === 0 || i < channels
        ? 0
        : raw[(y - 1) * stride + i - channels] as number;
      raw[y * stride + i] = (packed[y * (stride + 1) + 1 + i] as number) +
        predict(filter, left, up, both);
    }
  }
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let p = 0; p < width * height; p++) {
    for (let c = 0; c < Math.max(3, channels); c++) {
      rgba[4 * p + c] = type === 3
        ? palette[3 * (raw[p] as number) + c] as number
        : raw[p * channels + c] as number;
    }
  }
  return { width, height, rgba };
}
