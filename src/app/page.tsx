/// <reference lib="dom" />
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/**
 * The page: a form that says what to train, and what comes of it while it
 * trains.
 *
 * @module
 */

import { render } from "npm:preact@11.2.0";
import { useEffect, useMemo, useRef, useState } from "npm:preact@11.2.0/hooks";
import {
  defaultSettings,
  experimentsOf,
  labelOf,
  linkOf,
  type Settings,
  settingsOfConfig,
  settingsOfLink,
} from "./settings.ts";
import { choose, Form, type KnownConnectome, Select } from "./form.tsx";
import { CopyLink, Curves, Matrix, Outcome, Trial } from "./views.tsx";
import type { News, Order, Watched } from "./trainer.ts";
import { plural } from "../text/words.ts";
import { TASKS } from "../tasks/registry.ts";

/** What the worker has said so far. */
interface Training {
  readonly phase: "idle" | "preparing" | "training" | "stopped" | "finished";
  readonly begun?: News & { tell: "begun" };
  /** What the settings were. */
  readonly settings?: Settings;
  readonly progress?: News & { tell: "progress" };
  readonly summary?: News & { tell: "finished" };
  readonly packing?: boolean;
  readonly notes: readonly string[];
  readonly error?: string;
}

const IDLE: Training = { phase: "idle", notes: [] };

const EMBEDDED: KnownConnectome = {
  name: defaultSettings().values.net_name!,
  regions: Number(defaultSettings().values.rnn_size),
};

/** Whether pictures should change seldom. */
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function App() {
  const [settings, setSettings] = useState(() => settingsOfLink(location.hash));
  const [training, setTraining] = useState(IDLE);
  const [connectomes, setConnectomes] = useState([EMBEDDED]);
  const [watched, setWatched] = useState<Watched>({
    arm: 0,
    combination: 0,
    trial: 0,
    change: false,
  });
  const worker = useMemo(
    () =>
      new Worker(new URL("./trainer.js", import.meta.url), { type: "module" }),
    [],
  );
  /** Of a config that was dropped before its connectome. */
  const waiting = useRef<Settings | undefined>(undefined);
  const order = (order: Order) => worker.postMessage(order);

  const start = (settings: Settings) => {
    waiting.current = undefined;
    setTraining({ phase: "preparing", notes: [], settings });
    const first = { ...watched, arm: 0, combination: 0 };
    setWatched(first);
    order({ ask: "watch", watched: first });
    order({ ask: "start", settings, pace: calm.matches ? 2000 : 250 });
  };
  const fail = (error: unknown) =>
    setTraining((before) => ({ ...before, error: sentenceOf(error) }));

  const addConnectome = ({ name, regions }: KnownConnectome) => {
    setConnectomes((before) => [
      ...before.filter((each) => each.name !== name),
      { name, regions },
    ]);
    const config = waiting.current;
    if (config?.values.net_name === name) return start(config);
    setSettings((before) => choose(before, { name, regions }));
  };
  const addConfig = async (file: File) => {
    try {
      const read = settingsOfConfig(await file.text(), file.name);
      setSettings(read);
      const name = read.values.net_name!;
      if (connectomes.some((each) => each.name === name)) return start(read);
      waiting.current = read;
      fail(
        `This config trains ${name}, which is not here yet: drop the file of that connectome, too, and it starts`,
      );
    } catch (error) {
      fail(error);
    }
  };
  const addFiles = (files: Iterable<File>) => {
    setTraining(({ error: _, ...before }) => before);
    for (const file of files) {
      if (/\.(?:ini|cfg|conf)$/i.test(file.name)) addConfig(file);
      else order({ ask: "add", file });
    }
  };

  useEffect(() => {
    worker.onmessage = ({ data }: MessageEvent<News>) => {
      if (data.tell === "connectome") addConnectome(data);
      if (data.tell === "packed") save(data.zip);
      setTraining((before) => heard(before, data));
    };
  });
  useEffect(() => {
    worker.onerror = (event) => {
      event.preventDefault();
      fail(`The page has a fault: ${event.message}`);
    };
    const follow = () => setSettings(settingsOfLink(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      addFiles(event.dataTransfer?.files ?? []);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  });
  useEffect(() => {
    history.replaceState(null, "", `#${linkOf(settings)}`);
  }, [settings]);

  const problem = useMemo(() => findProblem(settings), [settings]);
  const pack = () => {
    setTraining((before) => ({ ...before, packing: true }));
    order({ ask: "pack" });
  };
  const watch = (change: Partial<Watched>) => {
    const next = { ...watched, ...change };
    setWatched(next);
    order({ ask: "watch", watched: next });
  };

  return (
    <div class="columns">
      <div class="results">
        <Status
          training={training}
          order={order}
          problem={problem}
          start={() => start(settings)}
        />
        <Results
          training={training}
          watched={watched}
          watch={watch}
          pack={pack}
        />
      </div>
      <Form
        settings={settings}
        change={setSettings}
        connectomes={connectomes}
        addFiles={addFiles}
      />
    </div>
  );
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What is wrong with the settings, or what they come to. */
function findProblem(
  settings: Settings,
): { readonly error?: string; readonly summary?: string } {
  try {
    const all = experimentsOf(settings);
    const { grid, training, net } = all[0]!;
    const { length } = grid.combinations;
    const runs = all.length * length * training.iterations;
    return {
      summary: `${plural(all.length, "arm")} × ${
        plural(length, "combination")
      } × ${training.iterations} = ${plural(runs, "run")} of ${
        net.regions * net.neuronsPerRegion
      } neurons`,
    };
  } catch (error) {
    return { error: sentenceOf(error) };
  }
}

/** Gives the archive to the browser's downloads. */
function save(zip: Uint8Array<ArrayBuffer>): void {
  const address = URL.createObjectURL(
    new Blob([zip], { type: "application/zip" }),
  );
  const link = document.createElement("a");
  link.href = address;
  link.download = "biornn.zip";
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function heard(before: Training, news: News): Training {
  switch (news.tell) {
    case "note":
    case "connectome":
      return { ...before, notes: [...before.notes, news.line] };
    case "error":
      return { ...before, phase: "idle", error: news.line };
    case "begun":
      return { ...before, begun: news };
    case "progress":
      return {
        ...before,
        phase: before.phase === "preparing" ? "training" : before.phase,
        progress: { ...before.progress, ...news },
      };
    case "stopped":
      return { ...before, phase: "stopped" };
    case "finished":
      return { ...before, phase: "finished", summary: news };
    case "packed":
      return { ...before, packing: false };
  }
}

const PHASES = {
  idle: "Ready",
  preparing: "Preparing …",
  training: "Training",
  stopped: "Stopped",
  finished: "Finished",
} as const;

function Status(
  { training, order, problem, start }: {
    readonly training: Training;
    readonly order: (order: Order) => void;
    readonly problem: ReturnType<typeof findProblem>;
    readonly start: () => void;
  },
) {
  const { phase, begun, progress, notes, error } = training;
  const done = progress?.done ?? 0;
  const speed = progress?.updatesPerSecond ?? 0;
  return (
    <section class="card status" aria-label="Training">
      <div class="head">
        <p class="phase" role="status" id="phase" data-phase={phase}>
          {PHASES[phase]}
          {begun !== undefined && phase !== "preparing" &&
            `, ${Math.floor(100 * done)} %`}
        </p>
        <div class="buttons">
          <CopyLink />
          {phase === "training" && (
            <button
              type="button"
              id="stop"
              onClick={() => order({ ask: "stop" })}
            >
              Stop
            </button>
          )}
          {phase === "stopped" && (
            <button
              type="button"
              id="go"
              onClick={() => order({ ask: "go on" })}
            >
              Go on
            </button>
          )}
          <button
            type="button"
            class="primary"
            id="train"
            disabled={problem.error !== undefined || phase === "preparing"}
            onClick={start}
          >
            {phase === "idle" ? "Train" : "Train anew"}
          </button>
        </div>
      </div>
      {begun !== undefined && (
        <progress max={1} value={done} aria-label="Epochs trained" />
      )}
      {problem.error === undefined
        ? <p class="muted summary">{problem.summary}</p>
        : <p class="problem" role="alert">{problem.error}</p>}
      {begun !== undefined && (
        <p class="muted">
          {begun.engine}
          {speed > 0 &&
            `; ${Math.round(speed).toLocaleString("en")} updates a second`}
        </p>
      )}
      {error !== undefined && (
        <p class="problem" role="alert" id="error">{error}</p>
      )}
      {notes.slice(-2).map((note) => <p class="muted" key={note}>{note}</p>)}
    </section>
  );
}

function Results(
  { training, watched, watch, pack }: {
    readonly training: Training;
    readonly pack: () => void;
    readonly watched: Watched;
    readonly watch: (change: Partial<Watched>) => void;
  },
) {
  const { begun, progress, settings, summary } = training;
  if (begun === undefined || settings === undefined) {
    return (
      <section class="card empty">
        <h2>What you will see</h2>
        <p>
          The loss of the biological network and of its random counterparts, its
          recurrent weights as they change, and a trial with the network's
          answer.
        </p>
      </section>
    );
  }
  const labels = begun.arms.map(labelOf);
  const task = TASKS.get(settings.values.task_name!)!;
  return (
    <>
      <section class="card" aria-labelledby="curves">
        <div class="head">
          <h2 id="curves">Loss</h2>
          {begun.combinations.length > 1 && (
            <label>
              combination{" "}
              <Select
                value={`${watched.combination}`}
                set={(value) => watch({ combination: Number(value) })}
                of={begun.combinations.map((title, i) => [`${i}`, title])}
              />
            </label>
          )}
        </div>
        <Curves
          arms={labels}
          epochs={begun.epochs}
          bands={progress?.bands ?? []}
          labelOf={labelOf}
        />
      </section>
      {summary !== undefined && (
        <Outcome
          summary={summary}
          arms={labels}
          combinations={begun.combinations}
          packing={training.packing === true}
          pack={pack}
        />
      )}
      <div class="pair">
        <section class="card" aria-labelledby="weights">
          <div class="head">
            <h2 id="weights">Recurrent weights</h2>
            <label>
              of{" "}
              <Select
                value={`${watched.arm}`}
                set={(value) => watch({ arm: Number(value) })}
                of={labels.map((label, i) => [`${i}`, label])}
              />
            </label>
          </div>
          <Matrix picture={progress?.matrix} epoch={progress?.epoch} />
          <label class="check">
            <input
              type="checkbox"
              checked={watched.change}
              onChange={(event) =>
                watch({ change: event.currentTarget.checked })}
            />{" "}
            show what has changed since the start
          </label>
        </section>
        <section class="card" aria-labelledby="trial">
          <div class="head">
            <h2 id="trial">A trial</h2>
            <button
              type="button"
              onClick={() => watch({ trial: watched.trial + 1 })}
            >
              Another
            </button>
          </div>
          <Trial picture={progress?.trial} task={task} />
        </section>
      </div>
    </>
  );
}

render(<App />, document.getElementById("app")!);
