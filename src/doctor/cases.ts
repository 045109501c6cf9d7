/**
 * The reference cases that come with biornn, and those of a folder.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readTextFile, systemReason } from "../files/read.ts";
import { type GoldenCase, readGoldenCase } from "./golden_case.ts";
import batch_1_tanh_adam from "./cases/train_batch_1_tanh_adam.json" with {
  type: "json",
};
import diverging_relu_adam from "./cases/train_diverging_relu_adam.json" with {
  type: "json",
};
import diverging_relu_rmsprop from "./cases/train_diverging_relu_rmsprop.json" with {
  type: "json",
};
import diverging_relu_sgd from "./cases/train_diverging_relu_sgd.json" with {
  type: "json",
};
import diverging_tanh_sgd from "./cases/train_diverging_tanh_sgd.json" with {
  type: "json",
};
import he_relu_sgd from "./cases/train_he_relu_sgd.json" with { type: "json" };
import huge_inputs_relu_sgd from "./cases/train_huge_inputs_relu_sgd.json" with {
  type: "json",
};
import huge_inputs_tanh_adam from "./cases/train_huge_inputs_tanh_adam.json" with {
  type: "json",
};
import last_batch_1_relu_rmsprop from "./cases/train_last_batch_1_relu_rmsprop.json" with {
  type: "json",
};
import nback_mem_relu_adam from "./cases/train_nback_mem_relu_adam.json" with {
  type: "json",
};
import nback_mem_relu_rmsprop from "./cases/train_nback_mem_relu_rmsprop.json" with {
  type: "json",
};
import nback_mem_relu_sgd from "./cases/train_nback_mem_relu_sgd.json" with {
  type: "json",
};
import nback_mem_tanh_adam from "./cases/train_nback_mem_tanh_adam.json" with {
  type: "json",
};
import nback_mem_tanh_rmsprop from "./cases/train_nback_mem_tanh_rmsprop.json" with {
  type: "json",
};
import nback_mem_tanh_rmsprop_long from "./cases/train_nback_mem_tanh_rmsprop_long.json" with {
  type: "json",
};
import nback_mem_tanh_sgd from "./cases/train_nback_mem_tanh_sgd.json" with {
  type: "json",
};
import no_connections_relu_adam from "./cases/train_no_connections_relu_adam.json" with {
  type: "json",
};
import one_step_relu_adam from "./cases/train_one_step_relu_adam.json" with {
  type: "json",
};
import pixels_tanh_sgd from "./cases/train_pixels_tanh_sgd.json" with {
  type: "json",
};
import saturated_tanh_adam from "./cases/train_saturated_tanh_adam.json" with {
  type: "json",
};
import saturated_tanh_rmsprop from "./cases/train_saturated_tanh_rmsprop.json" with {
  type: "json",
};
import seq_mem_relu_adam from "./cases/train_seq_mem_relu_adam.json" with {
  type: "json",
};
import seq_mem_relu_adam_long from "./cases/train_seq_mem_relu_adam_long.json" with {
  type: "json",
};
import seq_mem_relu_rmsprop from "./cases/train_seq_mem_relu_rmsprop.json" with {
  type: "json",
};
import seq_mem_relu_sgd from "./cases/train_seq_mem_relu_sgd.json" with {
  type: "json",
};
import seq_mem_tanh_adam from "./cases/train_seq_mem_tanh_adam.json" with {
  type: "json",
};
import seq_mem_tanh_adam_freeze from "./cases/train_seq_mem_tanh_adam_freeze.json" with {
  type: "json",
};
import seq_mem_tanh_rmsprop from "./cases/train_seq_mem_tanh_rmsprop.json" with {
  type: "json",
};
import seq_mem_tanh_sgd from "./cases/train_seq_mem_tanh_sgd.json" with {
  type: "json",
};
import shortest_nback_tanh_rmsprop from "./cases/train_shortest_nback_tanh_rmsprop.json" with {
  type: "json",
};
import xavier_tanh_adam from "./cases/train_xavier_tanh_adam.json" with {
  type: "json",
};

const OWN: readonly unknown[] = [
  batch_1_tanh_adam,
  diverging_relu_adam,
  diverging_relu_rmsprop,
  diverging_relu_sgd,
  diverging_tanh_sgd,
  he_relu_sgd,
  huge_inputs_relu_sgd,
  huge_inputs_tanh_adam,
  last_batch_1_relu_rmsprop,
  nback_mem_relu_adam,
  nback_mem_relu_rmsprop,
  nback_mem_relu_sgd,
  nback_mem_tanh_adam,
  nback_mem_tanh_rmsprop,
  nback_mem_tanh_rmsprop_long,
  nback_mem_tanh_sgd,
  no_connections_relu_adam,
  one_step_relu_adam,
  pixels_tanh_sgd,
  saturated_tanh_adam,
  saturated_tanh_rmsprop,
  seq_mem_relu_adam,
  seq_mem_relu_adam_long,
  seq_mem_relu_rmsprop,
  seq_mem_relu_sgd,
  seq_mem_tanh_adam,
  seq_mem_tanh_adam_freeze,
  seq_mem_tanh_rmsprop,
  seq_mem_tanh_sgd,
  shortest_nback_tanh_rmsprop,
  xavier_tanh_adam,
];

/** The cases that come with biornn: ordinary trainings, then those at the edges. */
export function ownCases(): GoldenCase[] {
  return OWN.map((value) => readGoldenCase(value, { file: "own case" })!);
}

/**
 * The training cases among a folder's `.json` files, by file name.
 *
 * @throws {InputError} If the folder or a case can't be read, or there is none.
 */
export async function readCases(folder: string): Promise<GoldenCase[]> {
  const cases: GoldenCase[] = [];
  for (const file of await jsonFiles(folder)) {
    const text = await readTextFile(file, { what: "the reference case" });
    const golden = readGoldenCase(parseJson(text, file), { file });
    if (golden !== undefined) cases.push(golden);
  }
  if (cases.length > 0) return cases;
  throw new InputError(
    `Cannot find a reference case in "${folder}": none of its .json files is of kind "train"`,
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `Cannot read the reference case "${file}": ${(error as Error).message}`,
      { cause: error },
    );
  }
}

async function jsonFiles(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ isFile, name }) =>
      isFile && name.endsWith(".json")
    )
      .map(({ name }) => join(folder, name)).sort();
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : error instanceof Deno.errors.NotADirectory
      ? "it is a file, not a folder"
      : systemReason(error, { path: folder, verb: "read" });
    if (reason === undefined) throw error;
    throw new InputError(
      `Cannot read the folder of reference cases "${folder}": ${reason}`,
      { cause: error },
    );
  }
}
