// Every file type of llama.cpp, made by its mix, loads in real llama.cpp with all tensor data
// checked, and has the types that the plan told; so do models with layers left out, metadata set,
// and types by recipe.

import assert from "node:assert/strict";
import {rmSync} from "node:fs";
import {join} from "node:path";
import {after, test} from "node:test";
import {readGgufFileInfo} from "node-llama-cpp";
import {loadModel, shutDown} from "./divergence.mjs";
import {IMATRIX, MODEL, outputFolder, sluice} from "./sluice.mjs";

const folder = outputFolder("file_types");

after(shutDown);

const NUMBERS = {
  F32: 0, F16: 1, Q4_0: 2, Q4_1: 3, Q8_0: 7, Q5_0: 8, Q5_1: 9, Q2_K: 10, Q3_K_S: 11, Q3_K_M: 12,
  Q3_K_L: 13, Q4_K_S: 14, Q4_K_M: 15, Q5_K_S: 16, Q5_K_M: 17, Q6_K: 18, IQ2_XXS: 19, IQ2_XS: 20,
  Q2_K_S: 21, IQ3_XS: 22, IQ3_XXS: 23, IQ1_S: 24, IQ4_NL: 25, IQ3_S: 26, IQ3_M: 27, IQ2_S: 28,
  IQ2_M: 29, IQ4_XS: 30, IQ1_M: 31, BF16: 32, TQ1_0: 36, TQ2_0: 37, MXFP4_MOE: 38,
  NVFP4: 39, Q1_0: 40, Q2_0: 41,
};

/** Makes a file with these arguments, loads it, and returns what real llama.cpp reads of it. */
async function make(type, ...flags) {
  const path = join(folder, `${[type, ...flags].join("").replace(/[^\w-]/g, "")}.gguf`);
  rmSync(path, {force: true});
  const plan = JSON.parse(sluice("plan", "--json", "--imatrix", IMATRIX, ...flags, MODEL, type));
  sluice("quantize", "--imatrix", IMATRIX, ...flags, MODEL, path, type);
  const model = await loadModel(path);
  await model.dispose();
  const info = await readGgufFileInfo(path);
  rmSync(path);
  const sizes = new Map(plan.tensors.map(({name, shape}) => [name, shape.join()]));
  for (const {name, dimensions} of info.fullTensorInfo) {
    assert.equal(dimensions.join(), sizes.get(name), name);
  }
  assert.equal(info.fullTensorInfo.length, plan.tensors.length);
  return {info, plan};
}

for (const [type, number] of Object.entries(NUMBERS)) {
  test(`${type} loads`, async () => {
    const made = await make(type);
    assert.equal(Number(made.info.metadata.general.file_type), number);
  });
}

test("a copy loads", async () => {
  const {info} = await make("COPY");
  assert.ok(info);
});

test("types by recipe load", async () => {
  const made = await make("Q4_K_M",
    "--tensor-type", "blk\\.[01]\\.ffn_down=q6_k", "--tensor-type", "attn_(q|k)=q5_k",
    "--custom-q", "blk\\.7\\.ffn_(up|gate)=iq4_nl,attn_v=q8_0",
    "--output-tensor-type", "q8_0", "--token-embedding-type", "q5_1");
  const types = new Map(made.plan.tensors.map(({name, type}) => [name, type]));
  assert.equal(types.get("blk.1.ffn_down.weight"), "q6_k");
  assert.equal(types.get("blk.3.attn_q.weight"), "q5_k");
  assert.equal(types.get("blk.7.ffn_up.weight"), "iq4_nl");
  assert.equal(types.get("blk.0.attn_v.weight"), "q8_0");
  assert.equal(types.get("token_embd.weight"), "q5_1");
});

test("a model with layers left out and metadata set loads", async () => {
  const {info} = await make("Q4_0", "--prune-layers", "2,5",
    "--override-kv", "general.name=str:pruned", "--override-kv", "llama.context_length=int:128");
  assert.equal(Number(info.metadata.llama.block_count), 6);
  assert.equal(Number(info.metadata.llama.context_length), 128);
  assert.equal(info.metadata.general.name, "pruned");
});
