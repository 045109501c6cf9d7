import assert from "node:assert/strict";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { DeviceError, type DeviceTrouble } from "../../src/engine/ensemble.ts";
import {
  describeAdapter,
  openDevice,
  readBack,
  type WatchedDevice,
} from "../../src/gpu/device.ts";

const found = await openDevice();
found?.destroy();
const missing = found === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;

async function withDevice(body: (gpu: WatchedDevice) => Promise<void>) {
  const gpu = await openDevice();
  assert.ok(gpu);
  try {
    await body(gpu);
  } finally {
    gpu.destroy();
  }
}

function isTrouble(reason: DeviceTrouble, message: RegExp) {
  return (error: unknown) =>
    error instanceof DeviceError && error.reason === reason &&
    message.test(error.message);
}

function createPipeline({ device }: WatchedDevice, code: string) {
  return device.createComputePipeline({
    layout: "auto",
    compute: {
      module: device.createShaderModule({ code }),
      entryPoint: "main",
    },
  });
}

describe("describeAdapter()", () => {
  it("knows a browser's software adapter, which has no description", () => {
    const info = { vendor: "google", architecture: "swiftshader" };
    const { description, software } = describeAdapter({
      info: { ...info, device: "", description: "" },
      limits: {},
      features: new Set(),
    } as unknown as GPUAdapter);
    assert.match(description, /^google swiftshader/);
    assert.equal(software, true);
  });

  it("tells the adapters of one card apart", () => {
    const named = (features: readonly string[]) =>
      describeAdapter({
        info: {
          vendor: "4318",
          architecture: "",
          device: "8960",
          description: "NVIDIA H100",
        },
        limits: {},
        features: new Set(features),
      } as unknown as GPUAdapter).description;
    const vulkan = named(["bgra8unorm-storage", "shader-f16"]);
    const opengl = named(["timestamp-query"]);
    assert.notEqual(vulkan, opengl);
    assert.match(opengl, /NVIDIA H100.*OpenGL/);
  });
});

/** Opens a device where the driver answers in that way. */
async function openWith(
  requestAdapter: () => Promise<unknown>,
): Promise<WatchedDevice | undefined> {
  const { gpu } = navigator;
  Object.defineProperty(navigator, "gpu", {
    configurable: true,
    value: { requestAdapter },
  });
  try {
    return await openDevice();
  } finally {
    Object.defineProperty(navigator, "gpu", { configurable: true, value: gpu });
  }
}

describe("openDevice()", () => {
  it("says in a sentence what the driver refuses", async () => {
    await assert.rejects(
      openWith(() => Promise.reject(new Error("no instance"))),
      isTrouble("internal", /^Cannot ask for a WebGPU adapter: no instance$/),
    );
    const adapter = {
      info: { vendor: "", architecture: "", device: "", description: "card" },
      limits: {},
      features: new Set(),
      requestDevice: () => Promise.reject(new TypeError("too many devices")),
    };
    await assert.rejects(
      openWith(() => Promise.resolve(adapter)),
      isTrouble(
        "internal",
        /^Cannot open the device card.*: too many devices$/,
      ),
    );
  });

  itNeeds(
    "reports the kernel that the device refuses",
    missing,
    () =>
      withDevice(async (gpu) => {
        gpu.named(
          "kernel sound",
          () => createPipeline(gpu, "@compute @workgroup_size(1) fn main() {}"),
        );
        await gpu.finish();
        gpu.named(
          "kernel wrong",
          () =>
            createPipeline(gpu, "@compute @workgroup_size(99999) fn main() {}"),
        );
        await assert.rejects(
          gpu.finish(),
          isTrouble("validation", /in kernel wrong on .*: .*size/s),
        );
      }),
  );

  itNeeds(
    "lets no error go unnoticed",
    missing,
    () =>
      withDevice(async (gpu) => {
        gpu.device.createBuffer({
          size: 2 ** 40,
          usage: GPUBufferUsage.STORAGE,
        });
        await assert.rejects(gpu.finish(), isTrouble("validation", /size/));
        assert.throws(() => gpu.check(), DeviceError);
      }),
  );

  itNeeds(
    "tells a lost device, whatever was done with it",
    missing,
    async () => {
      await withDevice(async (gpu) => {
        const buffer = gpu.device.createBuffer({
          size: 16,
          usage: GPUBufferUsage.COPY_SRC,
        });
        gpu.device.destroy();
        await assert.rejects(
          readBack(gpu, [{ buffer, firstWord: 0, words: 4 }]),
          isTrouble("lost", /was lost/),
        );
      });
      await withDevice(async (gpu) => {
        gpu.device.destroy();
        await assert.rejects(gpu.finish(), isTrouble("lost", /was lost/));
      });
    },
  );
});
