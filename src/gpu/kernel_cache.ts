/**
 * Compiled kernels of a device, by their text: ensembles of one experiment have
 * most of theirs in common.
 *
 * @module
 */

import type { WatchedDevice } from "./device.ts";
import type { ShaderConstants } from "./expand_shader.ts";
import {
  createKernel,
  createUniformLayout,
  type Kernel,
  KERNEL_SOURCES,
  type KernelName,
  kernelText,
} from "./kernels.ts";

/** Compiles each kernel once. */
export interface KernelCache {
  /** Layout of group 1, common to all kernels. */
  readonly uniformLayout: GPUBindGroupLayout;
  /** The kernel with those constants. */
  get(name: KernelName, constants: ShaderConstants): Kernel;
  /**
   * Has the driver translate kernels for the device, which some do only when a
   * kernel first runs: on buffers of zeros, on which no kernel does anything.
   * The device does so while the host goes on.
   */
  warmUp(kernels: readonly Kernel[]): void;
}

const CACHES = new WeakMap<GPUDevice, KernelCache>();

/** The cache of a device. */
export function kernelCacheOf(gpu: WatchedDevice): KernelCache {
  const known = CACHES.get(gpu.device);
  if (known !== undefined) return known;
  const cache = createKernelCache(gpu);
  CACHES.set(gpu.device, cache);
  return cache;
}

function createKernelCache(gpu: WatchedDevice): KernelCache {
  const { device } = gpu;
  const uniformLayout = createUniformLayout(device);
  const kernels = new Map<string, Kernel>();
  const warm = new Set<Kernel>();
  return {
    uniformLayout,
    get(name, constants) {
      const code = kernelText(name, constants);
      const known = kernels.get(code);
      if (known !== undefined) return known;
      const kernel = gpu.named(
        `kernel ${name}`,
        () => createKernel(device, { name, code, uniformLayout }),
      );
      kernels.set(code, kernel);
      return kernel;
    },
    warmUp(wanted) {
      const cold = wanted.filter((kernel) => !warm.has(kernel));
      if (cold.length === 0) return;
      for (const kernel of cold) warm.add(kernel);
      runOnZeros(device, { kernels: cold, uniformLayout });
    },
  };
}

/** Larger than any struct that a kernel binds. */
const ZERO_BYTES = 256;

function runOnZeros(
  device: GPUDevice,
  { kernels, uniformLayout }: {
    readonly kernels: readonly Kernel[];
    readonly uniformLayout: GPUBindGroupLayout;
  },
): void {
  const buffers: GPUBuffer[] = [];
  /** A buffer of its own for each binding: none may be bound for writing twice. */
  const zeros = (usage: number) => {
    const buffer = device.createBuffer({
      label: "zeros",
      size: ZERO_BYTES,
      usage,
    });
    buffers.push(buffer);
    return buffer;
  };
  const group = (layout: GPUBindGroupLayout, count: number, usage: number) =>
    device.createBindGroup({
      label: "zeros",
      layout,
      entries: Array.from({ length: count }, (_, binding) => ({
        binding,
        resource: { buffer: zeros(usage) },
      })),
    });
  const uniforms = group(uniformLayout, 2, GPUBufferUsage.UNIFORM);
  const encoder = device.createCommandEncoder({ label: "warm up" });
  const pass = encoder.beginComputePass({ label: "warm up" });
  for (const { name, pipeline, layout } of kernels) {
    const { bindings } = KERNEL_SOURCES[name];
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      group(layout, bindings.length, GPUBufferUsage.STORAGE),
    );
    pass.setBindGroup(1, uniforms, [0, 0]);
    pass.dispatchWorkgroups(1);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
  // They are kept until the device is done with them.
  for (const buffer of buffers) buffer.destroy();
}
