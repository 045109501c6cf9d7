/**
 * The kernels: their texts, what they bind, and how they become pipelines.
 *
 * @module
 */

import activationSource from "../shaders/activation.wgsl" with {
  type: "text",
};
import blockBackwardSource from "../shaders/block_backward.wgsl" with {
  type: "text",
};
import blockForwardSource from "../shaders/block_forward.wgsl" with {
  type: "text",
};
import blockGradientSource from "../shaders/block_gradient.wgsl" with {
  type: "text",
};
import blockLayoutSource from "../shaders/block_layout.wgsl" with {
  type: "text",
};
import blockLoadSource from "../shaders/block_load.wgsl" with { type: "text" };
import blockReadoutSource from "../shaders/block_readout.wgsl" with {
  type: "text",
};
import blockWeightsSource from "../shaders/block_weights.wgsl" with {
  type: "text",
};
import layoutSource from "../shaders/layout.wgsl" with { type: "text" };
import loadBatchSource from "../shaders/load_batch.wgsl" with { type: "text" };
import forwardSource from "../shaders/forward_step.wgsl" with { type: "text" };
import forwardSequenceSource from "../shaders/forward_sequence.wgsl" with {
  type: "text",
};
import backwardSequenceSource from "../shaders/backward_sequence.wgsl" with {
  type: "text",
};
import readoutSource from "../shaders/readout.wgsl" with { type: "text" };
import finishLossSource from "../shaders/finish_loss.wgsl" with {
  type: "text",
};
import backwardSource from "../shaders/backward_step.wgsl" with {
  type: "text",
};
import gradientSource from "../shaders/gradient.wgsl" with { type: "text" };
import readoutGradientSource from "../shaders/readout_gradient.wgsl" with {
  type: "text",
};
import optimizerSource from "../shaders/optimizer.wgsl" with { type: "text" };
import updateSource from "../shaders/update.wgsl" with { type: "text" };
import { expandShader, type ShaderConstants } from "./expand_shader.ts";
import type { BufferName } from "./buffers.ts";

/** Buffers that kernels bind: those that grow with the models, and the tables. */
export type BoundBuffer =
  | BufferName
  | "models"
  | "inverseScored"
  | "stepSums"
  | "history";

/** A kernel's text and the buffers of its group 0, by binding. */
export interface KernelSource {
  readonly source: string;
  /** Buffer and whether the kernel writes it. */
  readonly bindings: readonly (readonly [BoundBuffer, "read" | "write"])[];
}

/** The common text that stands before every kernel's. */
export const LAYOUT_SOURCE: string = layoutSource;

/** What stands before the kernels that go through blocks. */
const BLOCK_WAY =
  `${blockLayoutSource}\n${blockWeightsSource}\n${activationSource}`;

/** All kernels, in the order in which a training step runs them: those of whole matrices, then those of blocks. */
export const KERNEL_SOURCES = {
  loadBatch: {
    source: loadBatchSource,
    bindings: [["models", "read"], ["inputs", "read"], ["state", "write"]],
  },
  forwardStep: {
    source: `${activationSource}\n${forwardSource}`,
    bindings: [["models", "read"], ["state", "write"], ["parameters", "read"]],
  },
  forwardSequence: {
    source: `${activationSource}\n${forwardSequenceSource}`,
    bindings: [["models", "read"], ["state", "write"], ["turned", "read"]],
  },
  readout: {
    source: readoutSource,
    bindings: [
      ["models", "read"],
      ["state", "read"],
      ["parameters", "read"],
      ["targets", "read"],
      ["inverseScored", "read"],
      ["outputDelta", "write"],
      ["outputs", "write"],
      ["stepSums", "write"],
    ],
  },
  finishLoss: {
    source: finishLossSource,
    bindings: [
      ["models", "read"],
      ["stepSums", "read"],
      ["inverseScored", "read"],
      ["history", "write"],
    ],
  },
  backwardStep: {
    source: `${activationSource}\n${backwardSource}`,
    bindings: [
      ["models", "read"],
      ["state", "read"],
      ["delta", "write"],
      ["parameters", "read"],
      ["outputDelta", "read"],
    ],
  },
  backwardSequence: {
    source: `${activationSource}\n${backwardSequenceSource}`,
    bindings: [
      ["models", "read"],
      ["state", "read"],
      ["delta", "write"],
      ["parameters", "read"],
      ["outputDelta", "read"],
    ],
  },
  gradient: {
    source: gradientSource,
    bindings: [
      ["models", "read"],
      ["state", "read"],
      ["delta", "read"],
      ["gradient", "write"],
    ],
  },
  readoutGradient: {
    source: readoutGradientSource,
    bindings: [
      ["models", "read"],
      ["state", "read"],
      ["outputDelta", "read"],
      ["gradient", "write"],
    ],
  },
  optimizer: {
    source: `${updateSource}\n${optimizerSource}`,
    bindings: [
      ["models", "read"],
      ["gradient", "read"],
      ["trained", "read"],
      ["parameters", "write"],
      ["firstMoment", "write"],
      ["secondMoment", "write"],
      ["biases", "write"],
      ["turned", "write"],
    ],
  },
  blockLoad: {
    source: `${blockLayoutSource}\n${blockLoadSource}`,
    bindings: [["models", "read"], ["inputs", "read"], ["state", "write"]],
  },
  blockForward: {
    source: `${BLOCK_WAY}\n${blockForwardSource}`,
    bindings: [
      ["models", "read"],
      ["lists", "read"],
      ["state", "write"],
      ["parameters", "read"],
    ],
  },
  blockReadout: {
    source: `${blockLayoutSource}\n${blockReadoutSource}`,
    bindings: [
      ["models", "read"],
      ["state", "read"],
      ["parameters", "read"],
      ["targets", "read"],
      ["inverseScored", "read"],
      ["delta", "write"],
      ["outputs", "write"],
      ["stepSums", "write"],
    ],
  },
  blockBackward: {
    source: `${BLOCK_WAY}\n${blockBackwardSource}`,
    bindings: [
      ["models", "read"],
      ["lists", "read"],
      ["state", "read"],
      ["delta", "write"],
      ["parameters", "read"],
    ],
  },
  blockGradient: {
    source: `${blockLayoutSource}\n${updateSource}\n${blockGradientSource}`,
    bindings: [
      ["models", "read"],
      ["lists", "read"],
      ["state", "read"],
      ["delta", "read"],
      ["parameters", "write"],
      ["firstMoment", "write"],
      ["secondMoment", "write"],
      ["gradient", "write"],
    ],
  },
} as const satisfies Record<string, KernelSource>;

/** Name of a kernel. */
export type KernelName = keyof typeof KERNEL_SOURCES;

/** A compiled kernel. */
export interface Kernel {
  readonly name: KernelName;
  readonly pipeline: GPUComputePipeline;
  /** Layout of group 0: the buffers. */
  readonly layout: GPUBindGroupLayout;
}

/** Layout of group 1, common to all kernels: the batch and the time step, at dynamic offsets. */
export function createUniformLayout(device: GPUDevice): GPUBindGroupLayout {
  return device.createBindGroupLayout({
    label: "batch and time step",
    entries: [0, 1].map((binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: "uniform", hasDynamicOffset: true },
    })),
  });
}

/** The text that is compiled for a kernel, which has those of the constants in it that it uses. */
export function kernelText(
  name: KernelName,
  constants: ShaderConstants,
): string {
  const { source } = KERNEL_SOURCES[name];
  const words = new Set(source.replace(/\/\/.*/g, "").match(/\w+/g));
  const declared = `${LAYOUT_SOURCE}\n${source}`;
  const known = new Set(
    [...declared.matchAll(/^const ([A-Z_0-9]+) = /gm)].map((match) => match[1]),
  );
  return expandShader(
    declared,
    Object.fromEntries(
      Object.entries(constants).filter(([constant]) =>
        known.has(constant) && words.has(constant)
      ),
    ),
  );
}

/** Makes a pipeline of a kernel's text. */
export function createKernel(
  device: GPUDevice,
  options: {
    readonly name: KernelName;
    readonly code: string;
    readonly uniformLayout: GPUBindGroupLayout;
  },
): Kernel {
  const { name, code, uniformLayout } = options;
  const layout = device.createBindGroupLayout({
    label: name,
    entries: KERNEL_SOURCES[name].bindings.map(([, access], binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: access === "read" ? "read-only-storage" : "storage" },
    })),
  });
  const pipeline = device.createComputePipeline({
    label: name,
    layout: device.createPipelineLayout({
      label: name,
      bindGroupLayouts: [layout, uniformLayout],
    }),
    compute: {
      module: device.createShaderModule({ label: name, code }),
      entryPoint: "main",
    },
  });
  return { name, pipeline, layout };
}
