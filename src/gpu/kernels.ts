/**
 * From the shaders' texts to pipelines. The texts say themselves what a kernel
 * binds, and what its structs hold.
 *
 * @module
 */

import activationText from "../shaders/activation.wgsl" with { type: "text" };
import finishLossText from "../shaders/finish_loss.wgsl" with { type: "text" };
import layoutText from "../shaders/layout.wgsl" with { type: "text" };
import loadText from "../shaders/load.wgsl" with { type: "text" };
import productText from "../shaders/product.wgsl" with { type: "text" };
import readoutText from "../shaders/readout.wgsl" with { type: "text" };
import updateText from "../shaders/update.wgsl" with { type: "text" };
import type { LossName, Rules } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import { ruleTexts } from "./rules.ts";
import type { ShaderConstants, WeightFormat } from "./weight_format.ts";

/** The kernels of an update, in their order. */
const KERNEL_NAMES = [
  "load",
  "forward",
  "readout",
  "finishLoss",
  "backward",
  "gradient",
] as const;

/** Name of a kernel. */
export type KernelName = typeof KERNEL_NAMES[number];

/** A kernel's text for models of one format, constants put in and loops unrolled. */
export interface KernelText {
  readonly name: KernelName;
  readonly code: string;
}

/** Vectors of trials that lie side by side in the read-out, whose losses it adds up in one place. */
export function readoutVectors({ layout }: WeightFormat): number {
  let vectors = 1;
  while (vectors < Math.min(32, layout.vectors)) vectors *= 2;
  return vectors;
}

/** The texts of all kernels. */
export function kernelTexts(
  format: WeightFormat,
  { loss, ...rules }: { readonly loss: LossName } & Rules,
): KernelText[] {
  const { layout, places, forward, backward, gradient } = format;
  const { hidden, slot, units, vectors, inputSize, outputSize } = layout;
  const common = {
    HIDDEN: hidden,
    SLOT: slot,
    UNITS: units,
    VECTORS: vectors,
    INPUTS: inputSize,
    OUTPUTS: outputSize,
    BATCHES: layout.batches.length,
    STRETCH: layout.stretch,
    LOOPS: layout.loops ? 1 : 0,
    RANGED: layout.ranged ? 1 : 0,
    ...format.constants,
  };
  const { nonlinearities, optimizers } = ruleTexts(rules);
  const product = [nonlinearities, activationText, productText, places].join(
    "\n",
  );
  const along = readoutVectors(format);
  const parts: Record<KernelName, readonly [string, ShaderConstants]> = {
    load: [loadText, { LANES: LOAD_LANES }],
    forward: [`${product}\n${forward.text}`, forward.constants],
    readout: [`${places}\n${readoutText}`, {
      // With four outputs 256 would take more than the 16 KiB that every adapter has.
      LANES: Math.max(along, outputSize < 4 ? 256 : 128),
      TRIAL_LANES: along,
      LOSS: loss === "mse" ? 0 : 1,
    }],
    finishLoss: [finishLossText, { LANES: 64, SUM_VECTORS: along }],
    backward: [`${product}\n${backward.text}`, backward.constants],
    gradient: [
      `${places}\n${optimizers}${updateText}\n${gradient.text}`,
      gradient.constants,
    ],
  };
  return KERNEL_NAMES.map((name) => {
    const [text, constants] = parts[name];
    const code = kernelText(text, { ...common, ...constants });
    return { name, code };
  });
}

/** Invocations of a workgroup that copies inputs. */
export const LOAD_LANES = 64;

/** The text with those of the constants that it declares. */
function kernelText(text: string, constants: ShaderConstants): string {
  const declared = `${layoutText}\n${text}`;
  const known = new Set(
    [...declared.matchAll(/^const ([A-Z_0-9]+) = \d/gm)].map(([, name]) =>
      name
    ),
  );
  return expandShader(
    declared,
    Object.fromEntries(
      Object.entries(constants).filter(([name]) => known.has(name)),
    ),
  );
}

/** A buffer that a kernel binds, by its name there, and whether it is written. */
export interface Binding {
  readonly buffer: string;
  readonly written: boolean;
}

const BINDING =
  /^@group\(0\) @binding\((\d+)\) var<storage, (read|read_write)> (\w+):/gm;

/** What a kernel binds in group 0, in order. */
export function bindingsOf({ name, code }: KernelText): Binding[] {
  const bindings: Binding[] = [];
  for (const [, number, access, variable] of code.matchAll(BINDING)) {
    bindings[Number(number)] = {
      buffer: bufferOf(name, variable!),
      written: access === "read_write",
    };
  }
  return bindings;
}

/**
 * The buffer of a variable. Forward and backward are one text: the slots that it
 * writes are states or deltas, and forward it needs no others; the way back has
 * lists of its own.
 */
function bufferOf(name: KernelName, variable: string): string {
  if (variable === "slots") return name === "forward" ? "state" : "delta";
  if (variable === "state" && name === "forward") return "none";
  if (variable === "lists" && name === "backward") return "back";
  return variable.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
}

/** What expands a text. */
const CONSTANT = /^const ([A-Z][A-Z0-9_]*) = (\d+)u;/;
const BLOCK = /^\s*\/\/ for ([A-Z]+) in ([A-Z_]+)$/;
const END = /^\s*\/\/ end$/;

/** Fields of a struct of the shaders, in order; all are 4 bytes wide. */
type StructFields = readonly (readonly [name: string, type: "u32" | "f32"])[];

function fieldsOf(struct: string): StructFields {
  const body = new RegExp(`struct ${struct} \\{([^}]*)\\}`).exec(
    expandShader(layoutText, {}),
  )![1]!;
  return [...body.matchAll(/^\s*(\w+): (u32|f32),$/gm)].map(
    ([, name, type]) => [name!, type as "u32" | "f32"],
  );
}

const STRUCTS = {
  Model: fieldsOf("Model"),
  Batch: fieldsOf("Batch"),
  Time: fieldsOf("Time"),
};

/** Bytes of an entry of the table of models. */
export const MODEL_BYTES = 4 * STRUCTS.Model.length;

/**
 * Writes a struct of the shaders; what is left out is 0.
 *
 * @throws {RangeError} If there is a value that the struct has no field for.
 */
export function writeStruct(
  view: DataView,
  { struct, offset, values }: {
    readonly struct: keyof typeof STRUCTS;
    readonly offset: number;
    readonly values: Readonly<Record<string, number>>;
  },
): void {
  const fields = STRUCTS[struct];
  for (const name of Object.keys(values)) {
    if (!fields.some(([field]) => field === name)) {
      throw new RangeError(`Cannot write ${struct}: it has no field ${name}`);
    }
  }
  for (const [i, [name, type]] of fields.entries()) {
    const value = values[name] ?? 0;
    if (type === "u32") view.setUint32(offset + 4 * i, value, true);
    else view.setFloat32(offset + 4 * i, value, true);
  }
}

/** A compiled kernel. */
export interface Kernel {
  readonly name: KernelName;
  readonly bindings: readonly Binding[];
  readonly pipeline: GPUComputePipeline;
  /** Layout of group 0: the buffers. */
  readonly layout: GPUBindGroupLayout;
}

/** Compiled kernels of a device: ensembles of one experiment have theirs in common. */
export interface KernelCache {
  /** Layout of group 1, common to all kernels: the batch and the time step, at dynamic offsets. */
  readonly uniformLayout: GPUBindGroupLayout;
  /**
   * The kernels of these texts. The driver may translate them when they first run:
   * so they are run, on buffers of zeros, on which they do nothing; the device does
   * so while the host goes on.
   */
  get(texts: readonly KernelText[]): Kernel[];
}

const CACHES = new WeakMap<GPUDevice, KernelCache>();

/** The cache of a device. */
export function kernelCacheOf(gpu: WatchedDevice): KernelCache {
  const known = CACHES.get(gpu.device);
  if (known !== undefined) return known;
  const { device } = gpu;
  const layoutOf = (
    label: string,
    buffers: readonly GPUBufferBindingLayout[],
  ) =>
    device.createBindGroupLayout({
      label,
      entries: buffers.map((buffer, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer,
      })),
    });
  const uniform = { type: "uniform", hasDynamicOffset: true } as const;
  const uniformLayout = layoutOf("batch and time step", [uniform, uniform]);
  const kernels = new Map<string, Kernel>();

  function compile(text: KernelText): Kernel {
    const { name, code } = text;
    const bindings = bindingsOf(text);
    const layout = layoutOf(
      name,
      bindings.map(({ written }) => ({
        type: written ? "storage" : "read-only-storage",
      })),
    );
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
    return { name, bindings, pipeline, layout };
  }

  const cache: KernelCache = {
    uniformLayout,
    get(texts) {
      const cold: Kernel[] = [];
      const found = texts.map((text) => {
        const key = `${text.name}\n${text.code}`;
        let kernel = kernels.get(key);
        if (kernel === undefined) {
          kernel = gpu.named(`kernel ${text.name}`, () => compile(text));
          kernels.set(key, kernel);
          cold.push(kernel);
        }
        return kernel;
      });
      if (cold.length > 0) runOnZeros(device, { kernels: cold, uniformLayout });
      return found;
    },
  };
  CACHES.set(device, cache);
  return cache;
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
  const group = (layout: GPUBindGroupLayout, count: number, usage: number) =>
    device.createBindGroup({
      label: "zeros",
      layout,
      entries: Array.from({ length: count }, (_, binding) => {
        const buffer = device.createBuffer({
          label: "zeros",
          size: ZERO_BYTES,
          usage,
        });
        buffers.push(buffer);
        return { binding, resource: { buffer } };
      }),
    });
  const uniforms = group(uniformLayout, 2, GPUBufferUsage.UNIFORM);
  const encoder = device.createCommandEncoder({ label: "warm up" });
  const pass = encoder.beginComputePass({ label: "warm up" });
  for (const { bindings, pipeline, layout } of kernels) {
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

/**
 * Puts constants in and unrolls the blocks between `// for ITEM in COUNT` and
 * `// end`; blocks may be nested. Within a block `ITEM` becomes 0, 1, … also as
 * a part of a name, as in `sum_ITEM`: compilers of software adapters don't unroll,
 * and register tiles need every sum to be a variable of its own. A block is
 * written once, so that the file is a valid kernel as it stands.
 *
 * @throws {RangeError} If a constant is no whole number from 0 to 2³² − 1, or no `const` of the text has its name.
 * @throws {SyntaxError} If a block has no end, an end no block, or a count is no constant of the text.
 */
export function expandShader(
  source: string,
  constants: ShaderConstants,
): string {
  const values = new Map<string, number>();
  const missing = new Set(Object.keys(constants));
  const lines = source.split("\n").map((line) => {
    const match = CONSTANT.exec(line);
    if (match === null) return line;
    const name = match[1] as string;
    const value = constants[name] ?? Number(match[2]);
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw new RangeError(
        `Cannot expand shader: ${name} must be a whole number from 0 to 2^32 - 1, found ${value}`,
      );
    }
    values.set(name, value);
    missing.delete(name);
    return line.replace(CONSTANT, `const ${name} = ${value}u;`);
  });
  if (missing.size > 0) {
    throw new RangeError(
      `Cannot expand shader: it has no constant ${[...missing].join(", ")}`,
    );
  }
  const { expanded, next } = unroll(lines, 0, values);
  if (next !== lines.length) {
    throw new SyntaxError(
      `Cannot expand shader: line ${next + 1} ends a block that never began`,
    );
  }
  return expanded.join("\n");
}

/** Unrolls from line `start` to the end of the text or the block's own end. */
function unroll(
  lines: readonly string[],
  start: number,
  values: ReadonlyMap<string, number>,
): { expanded: string[]; next: number } {
  const expanded: string[] = [];
  let i = start;
  while (i < lines.length && !END.test(lines[i] as string)) {
    const match = BLOCK.exec(lines[i] as string);
    if (match === null) {
      expanded.push(lines[i++] as string);
      continue;
    }
    const [, item, countName] = match as unknown as [string, string, string];
    const count = values.get(countName);
    if (count === undefined) {
      throw new SyntaxError(
        `Cannot expand shader: ${countName} on line ${i + 1} is no constant`,
      );
    }
    const body = unroll(lines, i + 1, values);
    if (body.next >= lines.length) {
      throw new SyntaxError(
        `Cannot expand shader: the block of line ${i + 1} has no end`,
      );
    }
    const name = new RegExp(`(?<![A-Za-z0-9])${item}(?![A-Za-z0-9])`, "g");
    for (let n = 0; n < count; n++) {
      for (const line of body.expanded) {
        expanded.push(line.replace(name, String(n)));
      }
    }
    i = body.next + 1;
  }
  return { expanded, next: i };
}
