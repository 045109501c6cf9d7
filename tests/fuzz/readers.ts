/**
 * All readers of files that come from elsewhere, with sound files for each. To
 * have a new reader fuzzed, add a line to {@linkcode READERS}.
 *
 * @module
 */

import { readZip, unzipSync, zipSync } from "../../src/files/zip.ts";
import { gzipSync } from "node:zlib";
import { parseEdgeList, parseMatrixTable } from "../connectome/parse.ts";
import { readExperiment } from "../../src/experiment/read.ts";
import { readIdx } from "../../src/files/idx.ts";
import { readNameList, readPickle } from "../../src/files/pickle.ts";
import { readNpy, writeNpy } from "../../src/files/npy.ts";
import { readSparseNpz, writeSparseNpz } from "../../src/files/npz.ts";
import { safeName } from "../../src/files/path.ts";
import { decodeSafetensors } from "../../src/files/safetensors.ts";
import { readTorchFile } from "../../src/files/torch.ts";
import { parseExperimentRecord } from "../../src/results/experiment_record.ts";
import { parseFolderIndex } from "../../src/results/data_files.ts";
import {
  decodeCheckpoint,
  encodeCheckpoint,
} from "../../src/rnn/checkpoint.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import {
  decodeRuns,
  encodeRunRecord,
  encodeRunStates,
} from "../../src/results/run_file.ts";
import { binary, integer, text } from "../files/binary.ts";
import { int, list, pickle, str } from "../files/pickle_bytes.ts";
import {
  CONFIG,
  CONFIG_TOKENS,
  CONNECTIONS,
  IMAGES,
  PARAMETERS,
  PICKLE_TOKENS,
  RECORD,
  RUN,
  SIZE,
  SPARSE_MODEL,
  STATE,
  STATE_DICT,
  TENSOR_HEADER,
  TENSOR_TOKENS,
  TENSORS,
  tensorsOf,
  TORCH_LEGACY,
  TORCH_ZIP,
  torchZip,
} from "./sound_files.ts";

/** A reader and what it reads. */
export interface FuzzedReader {
  readonly name: string;
  /** Sound files. */
  readonly seeds: readonly (Uint8Array | string)[];
  /** Pieces that mean something in this format. */
  readonly tokens?: readonly string[];
  /** Gives a value or throws an InputError. */
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => unknown;
}

const name = "fuzzed";

/** For readers of text: the files' bytes as such, whatever they are. */
function asText(read: (text: string) => unknown): FuzzedReader["read"] {
  const decoder = new TextDecoder();
  return (bytes) => read(decoder.decode(bytes));
}

const NPY_TOKENS = [
  ...["'descr': ", "(", ")", ",", "99999999999", "4294967296", "L", "True"],
  ...["'|O'", "<f4", "[('a', '<f8')]", "'shape': (0, 9007199254740991)"],
];

const ZIP_TOKENS = [
  "PK\x01\x02",
  "PK\x03\x04",
  "PK\x05\x06",
  "PK\x06\x06",
  "PK\x06\x07",
  "\x01\0\x10\0",
];

const SPARSE = writeSparseNpz({
  shape: [3, 4],
  start: [0, 1, 1, 3],
  column: [1, 0, 2],
  values: [1.5, 2, -3],
});

/** The table. */
export const READERS: readonly FuzzedReader[] = [
  {
    name: "readNpy()",
    seeds: [
      writeNpy({ shape: [2, 3], data: Float64Array.of(0, 1, 2, 3, 4, 5) }),
      writeNpy({ shape: [4], data: Uint8Array.of(1, 0, 1, 1), boolean: true }),
      binary(
        "\x93NUMPY\x02\0\x40\0\0\0",
        "{'descr': '>i8', 'fortran_order': True, 'shape': (1, 2), }".padEnd(63),
        "\n",
        "\0".repeat(16),
      ),
    ],
    tokens: NPY_TOKENS,
    read: (bytes) => readNpy(bytes, { name }),
  },
  {
    name: "readNpy(), its header",
    seeds: [
      "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }   \n",
      "{'shape': (48,), 'fortran_order': False, 'descr': '|u1'}",
    ],
    tokens: NPY_TOKENS,
    read: (bytes) =>
      readNpy(
        binary(
          "\x93NUMPY\x01\0",
          integer(bytes.length % 65536, 2),
          text(bytes),
          "\0".repeat(48),
        ),
        { name },
      ),
  },
  {
    name: "decodeSafetensors(), its header",
    seeds: [TENSOR_HEADER],
    tokens: TENSOR_TOKENS,
    read: (bytes) => decodeSafetensors(tensorsOf(bytes), { name }),
  },
  {
    name: "readTorchFile(), the pickle in a ZIP",
    seeds: [binary(pickle(STATE_DICT))],
    tokens: PICKLE_TOKENS,
    read: (bytes) => readTorchFile(torchZip(bytes), { name }),
  },
  {
    name: "decodeSafetensors()",
    seeds: [TENSORS],
    tokens: TENSOR_TOKENS,
    read: (bytes) => decodeSafetensors(bytes, { name }),
  },
  {
    name: "readPickle()",
    seeds: [
      binary(pickle(STATE_DICT)),
      binary(
        pickle(
          list(str("é"), int(5), "G?\xf8\0\0\0\0\0\0", `}(${str("k")}Nu`),
          4,
        ),
      ),
      "]q\0(K\x01G?\xf8\0\0\0\0\0\0U\x01xq\x01}q\x02h\x01K\x03se.",
    ],
    tokens: PICKLE_TOKENS,
    read: (bytes) =>
      readPickle(bytes, {
        name,
        globals: new Set([
          "collections.OrderedDict",
          "torch._utils._rebuild_tensor_v2",
          "torch.FloatStorage",
        ]),
      }),
  },
  {
    name: "readNameList()",
    seeds: [binary(pickle(list(str("V1"), str("7m")), 3))],
    tokens: PICKLE_TOKENS,
    read: (bytes) => readNameList(bytes, { name }),
  },
  {
    name: "readTorchFile(), ZIP",
    seeds: [TORCH_ZIP],
    tokens: PICKLE_TOKENS,
    read: (bytes) => readTorchFile(bytes, { name }),
  },
  {
    name: "readTorchFile(), legacy",
    seeds: [TORCH_LEGACY],
    tokens: PICKLE_TOKENS,
    read: (bytes) => readTorchFile(bytes, { name }),
  },
  {
    name: "readZip()",
    seeds: [TORCH_ZIP, zipSync({ a: IMAGES, "b/c": TENSORS })],
    tokens: ZIP_TOKENS,
    read: (bytes) => readZip(bytes, { name }),
  },
  {
    name: "readSparseNpz()",
    // Packed, most damage ends in the unpacking; stored, it comes to the arrays.
    seeds: [SPARSE, zipSync(unzipSync(SPARSE), { level: 0 })],
    tokens: [...ZIP_TOKENS, ...NPY_TOKENS],
    read: (bytes) => readSparseNpz(bytes, { name }),
  },
  {
    name: "readIdx()",
    seeds: [
      IMAGES,
      binary("\0\0\x08\x01\0\0\0\x02\x07\x02"),
      new Uint8Array(gzipSync(IMAGES)),
    ],
    tokens: ["\x1f\x8b\x08\0"],
    read: (bytes) => readIdx(bytes, { name }),
  },
  {
    name: "safeName()",
    seeds: ["Macaque_Normalized", "a/../b", "CON.txt"],
    tokens: ["..", "/", "\\", "\0", ":", " "],
    read: asText((text) => safeName(text, { what: "the name" })),
  },
  {
    name: "parseMatrixTable()",
    seeds: [
      "from,V1,V2\nV1,0,0.5\nV2,0.25,0\n",
      "0\t1e-3\n.5\t0\n",
      '"a";"b ""c"""\n0;1\n2;0\n',
    ],
    tokens: [",", ";", "\t", '"', '""', "\n", "\r\n", "nan", "inf", "1e400"],
    read: asText((text) => parseMatrixTable(text, name)),
  },
  {
    name: "parseEdgeList()",
    seeds: ["from,to,weight,source\nV1,V2,0.5,a\nV2,V1,0.25,b\n"],
    tokens: [",", ";", "\t", '"', '""', "\n", "__proto__", "1e400", "-1"],
    read: asText((text) => parseEdgeList(text, { file: name })),
  },
  {
    name: "readExperiment()",
    seeds: [CONFIG],
    tokens: CONFIG_TOKENS,
    read: asText((text) =>
      readExperiment(text, { file: "x/c.ini", tasks: TASKS })
    ),
  },
  {
    name: "parseFolderIndex()",
    seeds: ["0 (0.0001, 'relu', 'Adam', 3)\n1 (1e-06, 'tanh', \"it's\", 10)\n"],
    tokens: CONFIG_TOKENS,
    read: asText((text) => parseFolderIndex(text, { name })),
  },
  {
    name: "parseExperimentRecord()",
    seeds: [JSON.stringify(RECORD)],
    tokens: [..."{}[],", '"__proto__":', "null", "1e999", "-1", '"\\ud800"'],
    read: asText((text) => parseExperimentRecord(text, { name })),
  },
  {
    name: "decodeCheckpoint()",
    seeds: [
      encodeCheckpoint(PARAMETERS, {
        size: SIZE,
        connections: CONNECTIONS,
        metadata: { epoch: "1" },
      }),
      SPARSE_MODEL,
      TORCH_ZIP,
      TORCH_LEGACY,
    ],
    tokens: TENSOR_TOKENS,
    read: (bytes) => decodeCheckpoint(bytes, { name }),
  },
  {
    name: "decodeRuns()",
    seeds: [encodeRunRecord(RUN), encodeRunStates([{ ...RUN, state: STATE }])],
    tokens: TENSOR_TOKENS,
    read: (bytes) => decodeRuns(bytes, { name, size: SIZE }),
  },
];
