import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  drawable,
  drawnLabels,
  labelColors,
  MUTED,
} from "../../src/viz/figure.ts";

describe("drawnLabels()", () => {
  it("keeps labels that fit, and the ends of those that don't", () => {
    assert.deepEqual(drawnLabels(["bio", "漢字"]), ["bio", "漢字"]);
    const long = `Marmoset_Normalized_${"x".repeat(40)}_True`;
    const [short] = drawnLabels([long]);
    assert.ok([...short!].length <= 42);
    assert.match(short!, /^Marmoset_.*….*_True$/);
  });

  it("never makes two labels one", () => {
    const middle = (letter: string) => "a".repeat(40) + letter + "b".repeat(40);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(
          fc.string({ unit: "grapheme" }),
          fc.constantFrom("x", "y", "z").map(middle),
        )),
        (labels) => {
          const drawn = drawnLabels(labels);
          assert.equal(new Set(drawn).size, labels.length);
        },
      ),
    );
  });
});

describe("drawable()", () => {
  it("leaves nothing that XML forbids or that every object has", () => {
    const address = "data:image/png;base64,AA";
    assert.deepEqual(
      drawable({
        a: ["a\x1b[31m", "constructor", "__proto__"],
        b: { c: "lr 1e-4 · tanh" },
        url: address,
        n: 1,
      }),
      {
        a: ["a\\x1b[31m", "constructor\u00a0", "__proto__\u00a0"],
        b: { c: "lr 1e-4 · tanh" },
        url: address,
        n: 1,
      },
    );
  });
});

/** Those that are no steps around the colour circle. */
const PALETTE = labelColors(6);

type Triple = readonly [number, number, number];

function linear(color: string): Triple {
  const channel = (at: number) => {
    const c = parseInt(color.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** Contrast by WCAG 2. */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [r, g, blue] = linear(color);
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [
    number,
    number,
  ];
  return (high + 0.05) / (low + 0.05);
}

/** Full colour blindness of three kinds, Machado, Oliveira and Fernandes (2009); and none. */
const VISIONS: Readonly<Record<string, readonly Triple[]>> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE L*a*b* of a colour as it is seen. */
function lab(color: string, vision: readonly Triple[]): Triple {
  const [r, g, b] = linear(color);
  const seen = vision.map((row) =>
    Math.min(1, Math.max(0, row[0] * r + row[1] * g + row[2] * b))
  ) as unknown as Triple;
  const to = (x: number, y: number, z: number) =>
    x * seen[0] + y * seen[1] + z * seen[2];
  const f = (t: number) => t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
  const x = f(to(0.4124, 0.3576, 0.1805) / 0.95047);
  const y = f(to(0.2126, 0.7152, 0.0722));
  const z = f(to(0.0193, 0.1192, 0.9505) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

describe("labelColors(), of six labels", () => {
  it("stands out from white paper", () => {
    for (const color of [...PALETTE, MUTED]) {
      assert.ok(contrast(color, "#ffffff") >= 3, color);
    }
  });

  it("tells the first two labels apart in grey too", () => {
    assert.ok(contrast(PALETTE[0] as string, PALETTE[1] as string) >= 3);
  });

  it("stays apart whatever colours a reader can't see", () => {
    for (const [name, vision] of Object.entries(VISIONS)) {
      for (const [i, a] of PALETTE.entries()) {
        for (const b of PALETTE.slice(i + 1)) {
          const [p, q] = [lab(a, vision), lab(b, vision)];
          const distance = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
          // Twenty is ten times what is just noticeable.
          assert.ok(distance >= 20, `${a} ${b} ${name} ${distance}`);
        }
      }
    }
  });
});

describe("labelColors()", () => {
  it("gives as many different colours as there are labels", () => {
    const colors = labelColors(20);
    assert.equal(new Set(colors).size, 20);
    assert.deepEqual(colors.slice(0, 6), PALETTE);
  });
});
