import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { readExperiment } from "../../src/experiment/read.ts";
import { InputError } from "../../src/files/input_error.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { picLatentMem, picMem } from "../../src/tasks/pictures.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import type { Stimuli } from "../../src/tasks/task.ts";
import { buildRun } from "../../src/train/build_run.ts";
import { prepare } from "../../src/train/prepare.ts";
import { withFolder } from "../with_folder.ts";
import { configOf, draw, trialOf } from "./draw.ts";

/** Pictures whose pixels all tell their own number. */
function numberedPictures(labels: number[], size = 3): Stimuli {
  const count = labels.length;
  return {
    size,
    count,
    values: Float32Array.from(
      { length: count * size },
      (_, i) => 1 + Math.floor(i / size),
    ),
    labels: Uint8Array.from(labels),
    source: "numbered pictures",
    synthetic: true,
  };
}

const cases = fc.integer({ min: 2, max: 8 }).chain((length) =>
  fc.record({
    trial_length: fc.constant(length),
    n_back: fc.integer({ min: 1, max: length - 1 }),
    nr_of_trials: fc.integer({ min: 1, max: 10 }),
  })
);
// Four labels, each with at least three pictures, in any order.
const labelings = fc.array(fc.constantFrom(0, 3, 7, 255), { maxLength: 20 })
  .chain((more) =>
    fc.shuffledSubarray(
      [...more, ...[0, 3, 7, 255].flatMap((l) => [l, l, l])],
      {
        minLength: more.length + 12,
      },
    )
  );

describe("picture trials", () => {
  it("show the probe's picture n_back steps before in matching trials; all others are different pictures of other labels", () => {
    fc.assert(
      fc.property(cases, labelings, fc.nat(1e9), (parameters, labels, seed) => {
        const { trial_length, n_back, nr_of_trials } = parameters;
        const stimuli = numberedPictures(labels);
        const set = draw(picLatentMem, { ...parameters, rescale: false }, {
          seed,
          stimuli,
        });
        const t = trial_length + 2;
        assert.equal(picLatentMem.steps(parameters), t);
        assert.equal(set.steps, t);
        assert.equal(set.inputSize, picLatentMem.inputSize(stimuli));
        assert.equal(set.trialCount, 2 * nr_of_trials);
        for (let trial = 0; trial < set.trialCount; trial++) {
          const { rows, targets } = trialOf(set, trial);
          assert.deepEqual(
            rows.map((row) => row[0]),
            rows.map((_, step) => step === trial_length ? 1 : 0),
          );
          assert.deepEqual(rows[trial_length]?.slice(1), [0, 0, 0]);
          assert.deepEqual(rows[trial_length + 1], [0, 0, 0, 0]);
          const shown = rows.slice(0, trial_length).map((row) => {
            assert.ok(row[1] === row[2] && row[2] === row[3]);
            return (row[1] as number) - 1;
          });
          const probe = shown.at(-1) as number;
          const matches = trial < nr_of_trials;
          const others = shown.slice(0, -1).filter((_, step) =>
            !(matches && step === trial_length - 1 - n_back)
          );
          if (matches) assert.equal(shown[trial_length - 1 - n_back], probe);
          assert.equal(new Set(others).size, others.length);
          assert.ok(
            others.every((picture) => labels[picture] !== labels[probe]),
          );
          assert.equal(targets.pop(), matches ? 2 : 1);
          assert.ok(targets.every((target) => target === 0));
        }
      }),
    );
  });

  it("take every label as often as the others for the probe, however many pictures it has", () => {
    const labels = [...new Array(40).fill(0), ...new Array(10).fill(1), 2, 2];
    const { inputs } = draw(
      picMem,
      { trial_length: 2, n_back: 1, nr_of_trials: 1500, rescale: false },
      { seed: 5, stimuli: numberedPictures(labels, 1) },
    );
    const counts = [0, 0, 0];
    for (let trial = 0; trial < 3000; trial++) {
      const probe = inputs[(trial * 4 + 1) * 2 + 1] as number;
      const label = labels[probe - 1] as number;
      counts[label] = (counts[label] as number) + 1;
    }
    // Five standard deviations of a binomial with p = 1/3.
    const limit = 5 * Math.sqrt(3000 * 2 / 9);
    assert.ok(counts.every((count) => Math.abs(count - 1000) < limit));
  });

  it("take any pictures, whatever their labels, where pic_mem is to be the original's", () => {
    // 40 of 50 pictures have label 0: a random other picture has the probe's
    // label with probability (40·39 + 10·9) / (50·49).
    const labels = [...new Array(40).fill(0), ...new Array(10).fill(1)];
    const parameters = {
      trial_length: 6,
      n_back: 2,
      nr_of_trials: 400,
      rescale: false,
    };
    const options = {
      stimuli: numberedPictures(labels, 1),
      compatibility: "original",
    } as const;
    const sharing = (task: typeof picMem) => {
      const { inputs } = draw(task, parameters, { ...options, seed: 5 });
      let same = 0;
      let probesOfLabel0 = 0;
      for (let trial = 0; trial < 800; trial++) {
        const shown = Array.from(
          { length: 6 },
          (_, step) => inputs[(trial * 8 + step) * 2 + 1]! - 1,
        );
        const probe = shown.pop()!;
        if (labels[probe] === 0) probesOfLabel0++;
        const matches = trial < 400;
        assert.equal(shown[3] === probe, matches);
        const others = shown.filter((_, step) => !(matches && step === 3));
        assert.ok(!others.includes(probe));
        assert.equal(new Set(others).size, others.length);
        same += others.filter((o) => labels[o] === labels[probe]).length;
      }
      return [same / (400 * 4 + 400 * 5), probesOfLabel0 / 800] as const;
    };
    const [same, probes] = sharing(picMem);
    // Five standard deviations; trials are independent, pictures of a trial nearly so.
    assert.ok(Math.abs(same - 1650 / 2450) < 5 * Math.sqrt(0.25 / 800));
    assert.ok(Math.abs(probes - 0.8) < 5 * Math.sqrt(0.16 / 800));
    assert.equal(sharing(picLatentMem)[0], 0);
    // One label is enough, and a sentence speaks of pictures, not of labels.
    const alike = (count: number) =>
      numberedPictures(new Array(count).fill(3), 1);
    picMem.checkStimuli!(parameters, { ...options, stimuli: alike(6) });
    assert.throws(
      () => picMem.checkStimuli!(parameters, { ...options, stimuli: alike(5) }),
      /needs 5 pictures besides the probe, and there are only 4$/,
    );
  });

  it("give the same trials for a seed and others for another", () => {
    const stimuli = numberedPictures([0, 0, 1, 1, 2, 2, 3, 3]);
    const parameters = { trial_length: 4, n_back: 2, nr_of_trials: 20 };
    const make = (seed: number) => draw(picMem, parameters, { seed, stimuli });
    assert.deepEqual(make(1), make(1));
    assert.notDeepEqual(make(1).inputs, make(2).inputs);
  });

  it("tell where there are too few labels or pictures, before any trial is drawn too", () => {
    const parameters = { trial_length: 4, n_back: 2, nr_of_trials: 1 };
    const make = (stimuli: Stimuli) =>
      void draw(picMem, parameters, { stimuli });
    const check = (stimuli: Stimuli) =>
      void picMem.checkStimuli?.(parameters, { stimuli });
    for (const use of [make, check]) {
      const refused = (labels: number[], sentence: RegExp) =>
        assert.throws(
          () => use(numberedPictures(labels)),
          (error) =>
            error instanceof InputError && sentence.test(error.message),
        );
      refused([4, 4, 4, 4], /2 different labels, found 1/);
      refused([0, 1, 1, 1], /needs 3 pictures .* only 1$/);
      use(numberedPictures([0, 0, 0, 1, 1, 1]));
    }
  });
});

describe("checkStimuli()", () => {
  const parameters = { trial_length: 3, n_back: 1 };
  /** Four pictures of two pixels. */
  const pictures = (...values: number[]): Stimuli => ({
    size: 2,
    count: 4,
    values: Float32Array.from(values),
    labels: Uint8Array.of(0, 0, 1, 1),
    source: "mine.npy",
    synthetic: false,
  });
  const check = (stimuli: Stimuli, rescale = true, task = picMem) =>
    task.checkStimuli!({ ...parameters, rescale }, { stimuli });

  it("refuses to divide pixels by 255 that were divided before", () => {
    const scaled = pictures(0, 0.2, 1, 0.5, 0, 0.7, 0.1, 0);
    assert.throws(
      () => check(scaled),
      (error) =>
        error instanceof InputError &&
        /"mine\.npy": no pixel is above 1, .* add "rescale": False to trial_params/
          .test(error.message),
    );
    assert.throws(() => check(pictures(0, 1, 1, 0, 1, 1, 0, 0)), /above 1/);
    // As they are, they are just right; so are latents, which are scaled one by one.
    assert.deepEqual(check(scaled, false), []);
    assert.deepEqual(check(scaled, true, picLatentMem), []);
  });

  it("warns of pixels that end far below 255, and of some pictures that were scaled before", () => {
    assert.deepEqual(check(pictures(0, 255, 9, 9, 0, 0, 80, 7)), []);
    assert.deepEqual(check(pictures(0, 64, 9, 9, 0, 0, 8, 7)), []);
    const [dim, ...none] = check(pictures(0, 16, 9, 9, 0, 0, 8, 7));
    assert.match(dim!, /^warning: the brightest pixel in "mine\.npy" is 16,/);
    assert.deepEqual(none, []);
    const [some, ...more] = check(pictures(0, 255, 1, 0.5, 0, 0, 0, 0.1));
    assert.match(some!, /^warning: 2 of the 4 images in "mine\.npy" have no/);
    assert.deepEqual(more, []);
    assert.deepEqual(check(pictures(0, 16, 9, 9, 0, 0, 8, 7), false), []);
  });

  it("refuses pictures that are all the same, whatever is done to them", () => {
    for (const task of [picMem, picLatentMem]) {
      for (const rescale of [true, false]) {
        assert.throws(
          () => check(pictures(0, 0, 0, 0, 0, 0, 0, 0), rescale, task),
          /all its pictures are the same, only zeros$/,
        );
        assert.throws(
          () => check(pictures(7, 99, 7, 99, 7, 99, 7, 99), rescale, task),
          /all its pictures are the same$/,
        );
      }
    }
  });
});

describe("an experiment with pictures", () => {
  /** Prepares an experiment of pic_mem on 40 pictures of 4 pixels, of which most have one label. */
  const prepared = (
    { most, net = "", trial = "" }: {
      readonly most: number;
      readonly net?: string;
      readonly trial?: string;
    },
  ) => {
    const npy = (shape: number[], value: (i: number) => number) => {
      const count = shape.reduce((a, b) => a * b);
      const data = Float64Array.from({ length: count }, (_, i) => value(i));
      return writeNpy({ shape, data });
    };
    const files = {
      "mine.npy": npy([40, 4], (i) => most * (i % 7) / 6),
      "mine_labels.npy": npy([40], (i) => i < 30 ? 0 : 1),
    };
    const config = configOf({
      trial:
        `"task_name":"pic_mem", "trial_length":4, "nr_of_trials":30${trial}`,
      grid: '"lr":[0.001], "nonlinearity":["relu"], "n_back":[2]',
      epochs: 1,
      images: "mine.npy",
      net,
    });
    return withFolder(async (folder) => {
      const lines: string[] = [];
      const file = join(folder, "config.ini");
      const experiment = await prepare(
        readExperiment(config, { file, tasks: TASKS }),
        { onLine: (line) => lines.push(line) },
      );
      const run = await buildRun(experiment, { combination: 0, iteration: 0 });
      return { inputs: run.trials.inputs, lines };
    }, files);
  };

  it("is refused where they would be divided by 255 twice", async () => {
    await assert.rejects(
      prepared({ most: 1 }),
      (error) =>
        error instanceof InputError &&
        /no pixel is above 1/.test(error.message),
    );
    const trial = ', "rescale":False';
    assert.ok(Math.max(...(await prepared({ most: 1, trial })).inputs) === 1);
    assert.ok(Math.max(...(await prepared({ most: 255 })).inputs) === 1);
  });

  it("logs what is odd about them", async () => {
    const { lines } = await prepared({ most: 16 });
    assert.ok(lines.some((line) => /^warning: the brightest pixel/.test(line)));
  });

  it("draws others in the original's way", async () => {
    const described = await prepared({ most: 255 });
    const original = await prepared({
      most: 255,
      net: "compatibility = original",
    });
    assert.notDeepEqual(described.inputs, original.inputs);
  });
});

/** How latents are shown. */
function rescaleLatents(latents: Float32Array): Float32Array {
  const parameters = { trial_length: 2, n_back: 1, nr_of_trials: 1 };
  const { inputs, inputSize } = draw(picLatentMem, parameters, {
    stimuli: {
      ...numberedPictures([0, 1], latents.length),
      values: Float32Array.of(...latents, ...latents),
    },
  });
  return inputs.subarray(1, inputSize);
}

describe("rescale", () => {
  it("brings every latent vector to [0, 1], a constant one too", () => {
    fc.assert(fc.property(
      fc.float32Array({
        minLength: 1,
        noNaN: true,
        min: -(2 ** 99),
        max: 2 ** 99,
      }),
      (latents) => {
        const scaled = rescaleLatents(latents);
        assert.ok(scaled.every((value) => value >= 0 && value <= 1));
        if (Math.max(...latents) > Math.min(...latents) + 1e-3) {
          assert.equal(scaled[latents.indexOf(Math.max(...latents))], 1);
          assert.ok(scaled[latents.indexOf(Math.min(...latents))]! < 2e-9);
        }
      },
    ));
    assert.deepEqual(
      [...rescaleLatents(Float32Array.of(2, 4, 3))],
      [Math.fround(5e-13), 1, 0.5],
    );
    assert.deepEqual([...rescaleLatents(Float32Array.of(7, 7))], [0.5, 0.5]);
  });

  it("divides pixels by 255, unless the config says no", () => {
    const stimuli = numberedPictures([0, 1, 2]);
    const parameters = { trial_length: 2, n_back: 1, nr_of_trials: 1 };
    const make = (rescale: boolean) =>
      draw(picMem, { ...parameters, rescale }, { stimuli }).inputs;
    const raw = make(false);
    assert.deepEqual(
      make(true),
      raw.map((value, i) => i % 4 === 0 ? value : value / 255),
    );
  });
});
