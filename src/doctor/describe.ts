/**
 * The doctor's lines: the machine, and how each case went.
 *
 * @module
 */

import type { AdapterDescription } from "../gpu/device.ts";
import type { CaseReport, Check } from "./replay.ts";

/** PCI numbers of vendors, as an adapter gives them where it has no name. */
const VENDORS: Readonly<Record<string, string>> = {
  "4098": "AMD",
  "4203": "Apple",
  "4318": "NVIDIA",
  "5045": "Arm",
  "20803": "Qualcomm",
  "32902": "Intel",
  "65541": "Mesa",
};

/** Limits that decide how large a model and an ensemble may be. */
const LIMITS: Readonly<
  Record<string, { readonly unit: string; readonly per: number }>
> = {
  maxBufferSize: { unit: "MiB", per: 2 ** 20 },
  maxStorageBufferBindingSize: { unit: "MiB", per: 2 ** 20 },
  maxStorageBuffersPerShaderStage: { unit: "", per: 1 },
  maxComputeWorkgroupStorageSize: { unit: "KiB", per: 2 ** 10 },
  maxComputeInvocationsPerWorkgroup: { unit: "", per: 1 },
  maxComputeWorkgroupsPerDimension: { unit: "", per: 1 },
};

/** What is known of an adapter: name, vendor, driver, limits. */
export function describeAdapter(adapter: AdapterDescription): string[] {
  const { description, vendor, architecture, device, software } = adapter;
  const driver = [VENDORS[vendor] ?? vendor, architecture, device]
    .filter((part) => part !== "" && part !== "0").join(", ");
  const limits = Object.entries(LIMITS).map(([name, { unit, per }]) => {
    const value = adapter.limits[name];
    const shown = value === undefined
      ? "unknown"
      : `${Number((value / per).toFixed(1))} ${unit}`.trimEnd();
    return `  ${name.padEnd(34)}${shown}`;
  });
  return [
    `adapter: ${description}${
      software ? " (software: the CPU does the work)" : ""
    }`,
    `driver: ${driver || "unknown"}`,
    `timestamps: ${
      adapter.features.includes("timestamp-query") ? "yes" : "no"
    }`,
    "limits:",
    ...limits,
  ];
}

/** The heading of the lines of {@linkcode describeReport}. */
export function reportHeading(nameWidth: number): string {
  return columns("case", {
    nameWidth,
    values: ["losses", "gradients", "weights"],
    verdict: "",
  });
}

/** A case's name, its worst errors of losses, gradients and weights, and "ok" or what is off. */
export function describeReport(
  report: CaseReport,
  { nameWidth }: { readonly nameWidth: number },
): string {
  const errorOf = (...names: readonly Check["name"][]) =>
    report.checks.filter(({ name }) => names.includes(name))
      .map(({ error }) => error)
      .reduce((a, b) => Math.max(a, b));
  return columns(report.name, {
    nameWidth,
    values: [
      errorOf("losses"),
      errorOf("gradients"),
      errorOf("weights after one update", "weights after all epochs"),
    ].map((error) => error.toExponential(1)),
    verdict: report.ok
      ? "ok"
      : `OFF: ${
        report.checks.filter(({ ok }) => !ok).map(describeCheck).join("; ")
      }`,
  });
}

function describeCheck({ name, where, error, limit }: Check): string {
  return `${name}${where === "" ? "" : ` (${where})`} ${
    error.toExponential(1)
  }, allowed ${limit}`;
}

function columns(
  name: string,
  { nameWidth, values, verdict }: {
    readonly nameWidth: number;
    readonly values: readonly string[];
    readonly verdict: string;
  },
): string {
  return [
    name.padEnd(nameWidth),
    ...values.map((value) => value.padEnd(9)),
    verdict,
  ].join("  ").trimEnd();
}
