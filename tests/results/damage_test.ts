import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { damageAll } from "../soak/damage.ts";

describe("a results folder with a flipped or missing byte", () => {
  it("is refused, warned of or sound, and gives the undisturbed bytes when it is gone on with", async () => {
    const { damages, noticed, mended } = await damageAll({ every: 809 });
    assert.ok(damages > 30, `${damages}`);
    assert.ok(noticed > 10, `${noticed} of ${damages}`);
    assert.ok(mended > 20, `${mended} of ${damages}`);
  });
});
