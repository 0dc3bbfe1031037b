// Where the tests find the program and its inputs, and how they run it.

import {execFileSync} from "node:child_process";
import {existsSync, mkdirSync, readdirSync} from "node:fs";
import {join} from "node:path";

/** A variable that the build sets for each test. */
function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests through ctest`);
  return value;
}

const program = setting("SLUICE_PROGRAM");
const data = setting("SLUICE_TEST_DATA");

export const MODEL = join(data, "model", "tiny-llama-f16.gguf");
export const IMATRIX = join(data, "imatrix", "tiny-llama.imatrix.gguf");
export const TEXT = join(data, "model", "validation.txt");
export const CHECKPOINTS = join(data, "checkpoints");
export const PEERS = join(data, "model", "peers.json");

/** A fresh folder for one test program's files, in the build folder. */
export function outputFolder(name) {
  const folder = join(import.meta.dirname, "files", name);
  mkdirSync(folder, {recursive: true});
  return folder;
}

/** Runs sluice; throws with its messages if it fails. */
export function sluice(...args) {
  return execFileSync(program, args, {encoding: "utf8"});
}

/** The tiny checkpoints of all families. */
export const CHECKPOINT_NAMES = readdirSync(CHECKPOINTS)
  .filter((name) => existsSync(join(CHECKPOINTS, name, "config.json")));

// Pre-tokenizers that the tiny tokenizers' own rules do not tell.
const PRE = {deepseek_v2_lite: "deepseek-llm", kimi_k2_int4: "kimi-k2"};

/** Makes a GGUF file of one of them. */
export function quantizeCheckpoint(name, output, type) {
  const flags = PRE[name] ? ["--pre", PRE[name]] : [];
  sluice("quantize", ...flags, join(CHECKPOINTS, name), output, type);
}
