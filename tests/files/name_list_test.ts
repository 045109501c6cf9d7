import assert from "node:assert/strict";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { readNameList } from "../../src/files/name_list.ts";
import { assertRefused, binary } from "./binary.ts";
import { call, list, pickle, str } from "./pickle_bytes.ts";

const name = "Names.lst";
const folder = Deno.env.get("BIORNN_CONNECTOMES");

describe("readNameList()", () => {
  it("reads the names in their order", () => {
    const bytes = binary(
      pickle(list(str("V1"), str("7m"), str("__proto__")), 3),
    );
    assert.deepEqual(readNameList(bytes, { name }), ["V1", "7m", "__proto__"]);
  });

  itNeeds(
    "reads the names of all collected connectomes",
    folder === undefined ? "BIORNN_CONNECTOMES names no folder" : undefined,
    () => {
      const expected: Record<string, [number, string, string]> = {
        Drosophila: [49, "AL", "vmp"],
        Human_Betzel_Normalized: [57, "ctx-lh-bankssts_1", "ctx-lh-insula_2"],
        Macaque_Normalized: [29, "V1", "7m"],
        Marmoset_Normalized: [55, "A6M", "AuCM"],
        Mouse_Gamanut_Normalized: [19, "ACAd", "VISC"],
        Mouse_Ypma_Oh: [56, "PTLp", "MH"],
      };
      for (
        const [connectome, [count, first, last]] of Object.entries(expected)
      ) {
        const path = `${folder}/Names_${connectome}.lst`;
        const names = readNameList(Deno.readFileSync(path), { name: path });
        assert.equal(names.length, count);
        assert.equal(names[0], first);
        assert.equal(names.at(-1), last);
        assert.equal(new Set(names).size, count);
      }
    },
  );

  it("refuses what is no list of strings, and what follows it", () => {
    const refused = (bytes: string, sentence: RegExp) =>
      assertRefused(() => readNameList(binary(bytes), { name }), sentence);
    refused(
      pickle(str("V1")),
      /^Cannot read "Names\.lst": it holds no list of names$/,
    );
    refused(pickle(list(str("V1"), "K\x07")), /entry 1 of its list is no text/);
    refused(pickle(list(str("V1"))) + "N.", /2 bytes follow its pickle/);
    refused(pickle(list(call("os.getcwd"))), /os\.getcwd/);
    refused("V1\nV2\n", /./);
  });
});
