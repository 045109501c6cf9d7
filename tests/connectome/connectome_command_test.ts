import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "../../src/compat/testing.ts";
import { readNpy } from "../../src/files/npy.ts";
import { withFolder } from "../with_folder.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs the command with a cache of its own and no network. */
async function connectome(folder: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "src/cli/connectome.ts",
      ...args,
    ],
    cwd: ROOT,
    env: {
      BIORNN_CACHE: join(folder, "cache"),
      INIT_CWD: fileURLToPath(ROOT),
      NO_COLOR: "1",
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

describe("connectome", () => {
  it("shows the help of each command alone", async () => {
    const all = await connectome(".", "--help");
    for (
      const [name, own, other] of [
        ["scale", "--target_sparsity", "--min_weight"],
        ["import", "--min_weight", "--target_sparsity"],
        ["list", "--path_to_network", "--out"],
      ] as const
    ) {
      const { code, out } = await connectome(".", name, "--help");
      assert.equal(code, 0);
      assert.ok(out.includes(own) && !out.includes(other), out);
      assert.ok(all.out.includes(`deno task connectome ${name} `));
    }
  });

  it("lists what is there, and says in the help what it can", async () => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(join(folder, "C_Mine.csv"), "0,1\n1,0\n");
      const { code, out } = await connectome(
        folder,
        ...["list", "--path_to_network", folder],
      );
      assert.equal(code, 0);
      assert.match(out, /^name +species +regions +connections +where$/m);
      assert.match(out, /^Synthetic_Macaque_29 +none .* 29 +536 +embedded$/m);
      assert.match(out, /^Marmoset_Normalized +marmoset +55 +1862 +to downl/m);
      assert.match(out, /^Mine /m);
      const help = await connectome(folder, "--help");
      assert.match(help.out, /connectome scale NAME --nr_neurons N/);
    });
  });

  it("scales to the arrays that train uses, and does not replace them unasked", async () => {
    await withFolder(async (folder) => {
      const out = join(folder, "out");
      const args = [
        ...["scale", "Synthetic_Macaque_29", "--nr_neurons", "2"],
        ...["--seed", "3", "--out", out],
      ];
      const first = await connectome(folder, ...args);
      assert.equal(first.code, 0, first.err);
      assert.match(first.out, /58 neurons, 2202 connections/);
      const read = async (name: string) => {
        const file = `${name}_Synthetic_Macaque_29.npy`;
        return readNpy(await Deno.readFile(join(out, file)), { name: file });
      };
      const weights = await read("S");
      const mask = await read("mask");
      assert.deepEqual(weights.shape, [58, 58]);
      assert.equal(mask.dtype, "b1");
      assert.deepEqual(mask.data, weights.data.map((w) => w > 0 ? 1 : 0));
      assert.deepEqual([...(await read("region")).data.slice(0, 4)], [
        ...[0, 0, 1, 1],
      ]);
      const again = await connectome(folder, ...args);
      assert.equal(again.code, 2);
      assert.match(again.err, /the file is there; --overwrite replaces it/);
      const replaced = await connectome(folder, ...args, "--overwrite");
      assert.equal(replaced.code, 0);
      assert.deepEqual((await read("S")).data, weights.data);
    });
  });

  it("imports a list, generates a table, and shows both", async () => {
    await withFolder(async (folder) => {
      const list = join(folder, "worm.csv");
      await Deno.writeTextFile(list, "a,b,2,x\nb,a,1,x\nb,c,4,x\n");
      const imported = await connectome(
        folder,
        ...["import", list, "--out", folder],
      );
      assert.equal(imported.code, 0, imported.err);
      const generated = await connectome(
        folder,
        ...["generate", "--seed", "7", "--out", folder],
      );
      assert.equal(generated.code, 0, generated.err);
      const show = (name: string) =>
        connectome(folder, "show", name, "--path_to_network", folder);
      const worm = await show("worm");
      assert.match(worm.out, /^connections +3 \(density 50\.0 %\)$/m);
      assert.match(worm.out, /^b +2 +1 +5 +2$/m);
      const synthetic = await show("Synthetic_Macaque_29_seed_7");
      assert.match(synthetic.out, /^synthetic +generated; no part/m);
      assert.match(synthetic.out, /^connections +536 \(density 66\.0 %\)$/m);
    });
  });

  it("takes signs from a table, and says which of its ids are no regions", async () => {
    await withFolder(async (folder) => {
      const [matrix, signs, out] = ["m.csv", "signs.csv", "out"].map((name) =>
        join(folder, name)
      ) as [string, string, string];
      await Deno.writeTextFile(matrix, "0,1,2\n1,0,0\n0,3,0\n");
      const args = ["import", matrix, "--signs", signs, "--out", out];
      // Ids from 0, where regions without names count from 1.
      await Deno.writeTextFile(signs, "id,sign\n0,+\n1,-\n2,+\n");
      const shifted = await connectome(folder, ...args);
      assert.equal(shifted.code, 0, shifted.err);
      assert.match(shifted.out, /^1 region excites, 1 inhibits, of 1 /m);
      assert.match(shifted.err, /1 id of no region \(0\); the first .* is 1$/m);
      await Deno.writeTextFile(signs, "-\n+\n+\n");
      const unnamed = await connectome(folder, ...args, "--overwrite");
      assert.equal(unnamed.code, 2);
      assert.match(unnamed.err, /^error: Cannot use --signs .*: of no region/);
    });
  });

  it("tells bad input in one sentence, exits with 2 and writes nothing", async () => {
    await withFolder(async (folder) => {
      const out = join(folder, "out");
      const cases: [string[], RegExp][] = [
        [[], /^error: Cannot run nothing: allowed are list, show/],
        [["grow"], /^error: Cannot run "grow"/],
        [["show"], /^error: Cannot show: give one name/],
        [["show", "macaqe_normalised"], /did you mean "Macaque_Normalized"/],
        [["show", "../x"], /^error: Cannot use the connectome's name/],
        [["download", "Drosophila"], /^downloading .*\nerror: .*--allow-net/],
        [
          ["scale", "Synthetic_Macaque_29", "--out", out, "--nr_neurons", "x"],
          /^error: Cannot use --nr_neurons "x": it must be an integer/,
        ],
        [
          ["scale", "Synthetic_Macaque_29", "--out", out],
          /^error: Cannot go on: --nr_neurons is needed, an integer from 1/,
        ],
        [
          ["show", "Synthetic_Macaque_29", "--rows", "target"],
          /^error: --rows is not a flag of connectome show; --help lists/,
        ],
        [["lst"], /^error: Cannot run "lst" \(did you mean "list"\?\)/],
        [["generate"], /^error: Cannot go on: --out is needed/],
        [["import", join(folder, "no.csv"), "--out", out], /no such file/],
      ];
      for (const [args, expected] of cases) {
        const { code, err } = await connectome(folder, ...args);
        assert.equal(code, 2, `${args}: ${err}`);
        assert.match(err, expected);
        assert.ok(!err.includes("    at "), err);
      }
      assert.deepEqual([...Deno.readDirSync(folder)], []);
    });
  });
});
