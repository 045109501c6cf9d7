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
import { type Layout, powerOfTwo } from "./layout.ts";
import { ruleTexts } from "./rules.ts";
import type { Product, WeightFormat } from "./weight_format.ts";

/** The kernels of an update, in their order. */
export type KernelName =
  | "load"
  | "forward"
  | "readout"
  | "finishLoss"
  | "backward"
  | "gradient";

/** A kernel's text for models of one format, constants put in and loops unrolled. */
export interface KernelText {
  readonly name: KernelName;
  readonly code: string;
}

/** Invocations of a workgroup that copies inputs, and of one that adds losses. */
export const LANES = { load: 64, finishLoss: 64 } as const;

/** Vectors of trials that lie side by side in the read-out, whose losses it adds up in one place. */
export function readoutVectors({ vectors }: Layout): number {
  return powerOfTwo(vectors, 32);
}

/** The texts of all kernels. */
export function kernelTexts(
  { layout, places, constants, forward, backward, gradient }: WeightFormat,
  { loss, ...rules }: { readonly loss: LossName } & Rules,
): KernelText[] {
  const common = {
    HIDDEN: layout.hidden,
    SLOT: layout.slot,
    UNITS: layout.units,
    VECTORS: layout.vectors,
    INPUTS: layout.inputSize,
    OUTPUTS: layout.outputSize,
    BATCHES: layout.batches.length,
    STRETCH: layout.stretch,
    LOOPS: layout.loops ? 1 : 0,
    RANGED: layout.ranged ? 1 : 0,
    ...constants,
  };
  const { nonlinearities, optimizers } = ruleTexts(rules);
  const product = [nonlinearities, activationText, productText, places];
  const along = readoutVectors(layout);
  const kernel = (
    name: KernelName,
    texts: readonly string[],
    own: Product["constants"],
  ): KernelText => ({
    name,
    code: expandShader([layoutText, ...texts].join("\n"), {
      ...common,
      ...own,
    }),
  });
  return [
    kernel("load", [loadText], { LANES: LANES.load }),
    kernel("forward", [...product, forward.text], forward.constants),
    kernel("readout", [places, readoutText], {
      // With four outputs 256 would take more than the 16 KiB that every adapter has.
      LANES: layout.outputSize < 4 ? 256 : 128,
      TRIAL_LANES: along,
      LOSS: loss === "mse" ? 0 : 1,
    }),
    kernel("finishLoss", [finishLossText], {
      LANES: LANES.finishLoss,
      SUM_VECTORS: along,
    }),
    kernel("backward", [...product, backward.text], backward.constants),
    kernel(
      "gradient",
      [places, optimizers, updateText, gradient.text],
      gradient.constants,
    ),
  ];
}

/** What begins a block that is unrolled, and such a block that has no other in it. */
const BEGIN = "^[ \\t]*// for ([A-Z]+ in [A-Z_]+(?:, [A-Z]+ in [A-Z_]+)*)$";
const END = "^[ \\t]*// end$";
const BLOCK = new RegExp(
  `${BEGIN}\n((?:(?!${BEGIN}|${END}).*\n)*)${END}\n`,
  "gm",
);

/**
 * Puts in those of the constants that a text declares, and unrolls the blocks
 * between `// for ITEM in COUNT, …` and `// end`; blocks may be nested. Within a
 * block `ITEM` becomes 0, 1, … also as a part of a name, as in `sum_ITEM`:
 * compilers of software adapters don't unroll, and register tiles need every sum
 * to be a variable of its own.
 *
 * @throws {SyntaxError} If a block has no end, an end no block, or a count is no constant of the text.
 */
export function expandShader(
  source: string,
  constants: Product["constants"],
): string {
  const values: Record<string, number> = {};
  let text = source.replace(
    /^const ([A-Z][A-Z0-9_]*) = (\d+)u;/gm,
    (_, name: string, own: string) => {
      values[name] = constants[name] ?? Number(own);
      return `const ${name} = ${values[name]}u;`;
    },
  );
  const repeat = (body: string, item: string): string => {
    const [name, count] = item.split(" in ") as [string, string];
    if (values[count] === undefined) {
      throw new SyntaxError(`Cannot expand shader: ${count} is no constant`);
    }
    const word = new RegExp(`(?<![A-Za-z0-9])${name}(?![A-Za-z0-9])`, "g");
    return Array.from(
      { length: values[count] },
      (_, n) => body.replace(word, String(n)),
    ).join("");
  };
  for (let before = ""; before !== text;) {
    before = text;
    text = text.replace(
      BLOCK,
      (_, items: string, body: string) =>
        items.split(", ").reduceRight(repeat, body),
    );
  }
  const left = new RegExp(`${BEGIN}|${END}`, "m").exec(text);
  if (left === null) return text;
  throw new SyntaxError(
    `Cannot expand shader: "${left[0].trim()}" has no partner`,
  );
}

/** The fields of the shaders' structs, each 4 bytes wide. */
const FIELDS = new Map(
  [...expandShader(layoutText, {}).matchAll(/struct (\w+) \{([^}]*)\}/g)].map(
    ([, struct, body]) => {
      const fields = [...body!.matchAll(/^\s*(\w+): (u32|f32),$/gm)];
      return [
        struct!,
        new Map(fields.map(([, name, type], i) => [name, { type, at: 4 * i }])),
      ];
    },
  ),
);

/** Bytes of an entry of the table of models. */
export const MODEL_BYTES = 4 * FIELDS.get("Model")!.size;

/** Structs of the shaders, so many bytes apart; a field that is left out is 0. */
export function packStructs(
  struct: "Model" | "Batch" | "Time",
  all: readonly Readonly<Record<string, number>>[],
  stride: number,
): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(all.length * stride));
  for (const [i, values] of all.entries()) {
    for (const [name, value] of Object.entries(values)) {
      const { type, at } = FIELDS.get(struct)!.get(name)!;
      if (type === "u32") view.setUint32(i * stride + at, value, true);
      else view.setFloat32(i * stride + at, value, true);
    }
  }
  return view;
}

/** What a kernel binds in group 0, in order: buffers, by our names for them, and whether they are written. */
export function bindingsOf({ name, code }: KernelText) {
  return [
    ...code.matchAll(
      /^@group\(0\) @binding\(\d+\) var<storage, (read|read_write)> (\w+):/gm,
    ),
  ].map(([, access, variable]) => ({
    buffer: bufferOf(name, variable!),
    written: access === "read_write",
  }));
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

/** A compiled kernel; group 1 of all of them is the batch and the time step, at dynamic offsets. */
export interface Kernel {
  readonly name: KernelName;
  readonly bindings: ReturnType<typeof bindingsOf>;
  readonly pipeline: GPUComputePipeline;
}

const COMPILED = new WeakMap<GPUDevice, Map<string, Kernel>>();

/**
 * The kernels of these texts: ensembles of one experiment have theirs in common.
 * The driver may translate them when they first run: so they are run, on buffers
 * of zeros, on which they do nothing; the device does so while the host goes on.
 */
export function compileKernels(
  gpu: WatchedDevice,
  texts: readonly KernelText[],
): Kernel[] {
  const { device } = gpu;
  const known = COMPILED.get(device) ?? new Map<string, Kernel>();
  COMPILED.set(device, known);
  const cold: Kernel[] = [];
  const kernels = texts.map((text) => {
    const key = `${text.name}\n${text.code}`;
    let kernel = known.get(key);
    if (kernel === undefined) {
      kernel = gpu.named(`kernel ${text.name}`, () => compile(device, text));
      known.set(key, kernel);
      cold.push(kernel);
    }
    return kernel;
  });
  if (cold.length > 0) runOnZeros(device, cold);
  return kernels;
}

function compile(device: GPUDevice, text: KernelText): Kernel {
  const { name, code } = text;
  const bindings = bindingsOf(text);
  const layoutOf = (buffers: readonly GPUBufferBindingLayout[]) =>
    device.createBindGroupLayout({
      label: name,
      entries: buffers.map((buffer, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer,
      })),
    });
  const uniform = { type: "uniform", hasDynamicOffset: true } as const;
  const pipeline = device.createComputePipeline({
    label: name,
    layout: device.createPipelineLayout({
      label: name,
      bindGroupLayouts: [
        layoutOf(bindings.map(({ written }) => ({
          type: written ? "storage" : "read-only-storage",
        }))),
        layoutOf([uniform, uniform]),
      ],
    }),
    compute: {
      module: device.createShaderModule({ label: name, code }),
      entryPoint: "main",
    },
  });
  return { name, bindings, pipeline };
}

function runOnZeros(device: GPUDevice, kernels: readonly Kernel[]): void {
  const buffers: GPUBuffer[] = [];
  const encoder = device.createCommandEncoder({ label: "warm up" });
  const pass = encoder.beginComputePass({ label: "warm up" });
  for (const { bindings, pipeline } of kernels) {
    /** A buffer of its own for each binding: none may be bound for writing twice. */
    const group = (number: number, count: number, usage: number) =>
      device.createBindGroup({
        label: "zeros",
        layout: pipeline.getBindGroupLayout(number),
        entries: Array.from({ length: count }, (_, binding) => {
          // Larger than any struct that a kernel binds.
          const buffer = device.createBuffer({ size: 256, usage });
          buffers.push(buffer);
          return { binding, resource: { buffer } };
        }),
      });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group(0, bindings.length, GPUBufferUsage.STORAGE));
    pass.setBindGroup(1, group(1, 2, GPUBufferUsage.UNIFORM), [0, 0]);
    pass.dispatchWorkgroups(1);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
  // They are kept until the device is done with them.
  for (const buffer of buffers) buffer.destroy();
}
