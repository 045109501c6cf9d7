/**
 * Bytes from the device back to the host.
 *
 * @module
 */

import type { WatchedDevice } from "./device.ts";

/** A part of a buffer, in 32-bit words. */
export interface BufferPart {
  readonly buffer: GPUBuffer;
  readonly firstWord: number;
  readonly words: number;
}

/**
 * Copies parts of buffers to the host, with one wait for all of them: a wait
 * costs over 10 ms.
 */
export async function readBack(
  gpu: WatchedDevice,
  parts: readonly BufferPart[],
): Promise<Float32Array<ArrayBuffer>[]> {
  const bytes = parts.reduce((sum, { words }) => sum + words * 4, 0);
  const staging = gpu.device.createBuffer({
    label: "read back",
    size: bytes,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  try {
    const encoder = gpu.device.createCommandEncoder({ label: "read back" });
    let at = 0;
    for (const { buffer, firstWord, words } of parts) {
      encoder.copyBufferToBuffer(buffer, firstWord * 4, staging, at, words * 4);
      at += words * 4;
    }
    gpu.device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(GPUMapMode.READ);
    } catch (error) {
      // What the device reported says more than that it could not be mapped.
      await gpu.finish();
      throw error;
    }
    const copy = staging.getMappedRange().slice(0);
    let start = 0;
    const arrays = parts.map(({ words }) => {
      const array = new Float32Array(copy, start, words);
      start += words * 4;
      return array;
    });
    staging.unmap();
    await gpu.finish();
    return arrays;
  } finally {
    staging.destroy();
  }
}
