/**
 * Writes a list of connections like that of a whole fly's brain, a row a pair and
 * neuropil, with ids of eighteen digits, imports it, and says how long that took and how much
 * memory. What every neuron sends and receives must come out exactly.
 *
 *     deno run -A tests/soak/whole_brain.ts --rows 15000000 --neurons 139255
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parseFlags } from "../../src/compat/cli.ts";
import { print } from "../../src/cli/run_command.ts";
import { importConnectome } from "../../src/connectome/decode.ts";
import { sourceOfFile } from "../../src/files/read.ts";
import { createStream } from "../../src/random/stream.ts";
import { withFolder } from "../with_folder.ts";

/** The list, packed by gzip. */
async function writeList(
  path: string,
  { rows, neurons }: { readonly rows: number; readonly neurons: number },
): Promise<{ sent: Float64Array; received: Float64Array }> {
  const { integer } = createStream({ seed: 1, purpose: "connectome" });
  const [sent, received] = [0, 1].map(() => new Float64Array(neurons));
  const ids = Array.from({ length: neurons }, (_, i) => idOf(i));
  const text = function* () {
    const encoder = new TextEncoder();
    let lines = ["pre_root_id,post_root_id,neuropil,syn_count,nt_type"];
    for (let row = 0; row < rows; row++) {
      const from = integer(neurons);
      // Near ones more often, so that a pair has several rows.
      const to = (from + integer(integer(neurons) + 1)) % neurons;
      const synapses = 1 + integer(40);
      lines.push(`${ids[from]},${ids[to]},ME_R,${synapses},ACH`);
      if (from !== to) {
        sent![from]! += synapses;
        received![to]! += synapses;
      }
      if (lines.length < 10_000) continue;
      yield encoder.encode(`${lines.join("\n")}\n`);
      lines = [];
    }
    yield encoder.encode(`${lines.join("\n")}\n`);
  };
  await ReadableStream.from(text())
    .pipeThrough(new CompressionStream("gzip"))
    .pipeTo((await Deno.create(path)).writable);
  return { sent: sent!, received: received! };
}

const idOf = (neuron: number) => String(720575940596125868n + BigInt(neuron));

if (import.meta.main) {
  const { string } = parseFlags(Deno.args, {
    boolean: [],
    string: ["rows", "neurons"],
    list: [],
  });
  const size = {
    rows: Number(string.rows ?? 15_000_000),
    neurons: Number(string.neurons ?? 139_255),
  };
  await withFolder(async (folder) => {
    const path = join(folder, "connections.csv.gz");
    const expected = await writeList(path, size);
    const begin = performance.now();
    const file = sourceOfFile(path, { what: "the list" });
    const { graph, regionNames, notes } = await importConnectome(file, {});
    const seconds = (performance.now() - begin) / 1000;
    const memory = Number(
      /VmHWM:\s+(\d+)/.exec(await Deno.readTextFile("/proc/self/status"))?.[1],
    );
    const [sent, received] = [0, 1].map(() => new Float64Array(size.neurons));
    const number = regionNames.map((name) =>
      Number(BigInt(name) - BigInt(idOf(0)))
    );
    graph.weight.forEach((weight, edge) => {
      sent![number[graph.from[edge]!]!]! += weight;
      received![number[graph.to[edge]!]!]! += weight;
    });
    assert.deepEqual(sent, expected.sent);
    assert.deepEqual(received, expected.received);
    print(notes.join("; "));
    print(
      `${size.rows} rows, ${graph.weight.length} connections: ${
        seconds.toFixed(1)
      } s, ${(memory / 1e6).toFixed(2)} GB at most`,
    );
  });
}
