// Files by recipes that are in use, of a small mixture of experts and of a dense model, run in real
// llama.cpp, and are near to their source. That the recipes give large models the types that they
// should is tests/recipe's part.

import assert from "node:assert/strict";
import {rmSync} from "node:fs";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {Reference, shutDown} from "./divergence.mjs";
import {writeMixture} from "./mixture.mjs";
import {IMATRIX, MODEL, outputFolder, sluice, TEXT} from "./sluice.mjs";

const folder = outputFolder("recipes");
const mixture = join(folder, "mixture.gguf");
const CHUNKS = 2;
let dense;
let experts;

before(async () => {
  writeMixture(MODEL, mixture);
  dense = await Reference.load(MODEL, TEXT, CHUNKS);
  experts = await Reference.load(mixture, TEXT, CHUNKS);
});
after(shutDown);

const rules = (...texts) => texts.flatMap((text) => ["--tensor-type", text]);

// Title, model, file type, options, and the most that the distributions may be off.
const RECIPES = [
  ["dynamic IQ1_M, as of LLaMA-4 Scout", mixture, "IQ1_M", [
    ...rules("blk\\.[0-1]\\.ffn_down_exps=iq3_xxs", "attn_(q|k|v|output)=q4_k", "_shexp=q5_k"),
    "--output-tensor-type", "q6_k"], 0.15],
  ["dynamic IQ1_M without IQ3_XXS", mixture, "IQ1_M", [
    ...rules("blk\\.[0-1]\\.ffn_down_exps=q2_k", "attn_(q|k|v|output)=q4_k"),
    "--output-tensor-type", "q6_k"], 0.15],
  ["dynamic 1.58 bits, as of DeepSeek-R1", mixture, "IQ1_S", [
    ...rules("attn_=q4_k", "blk\\.[01]\\.ffn_(gate|up)=q4_k", "blk\\.[01]\\.ffn_down=q6_k",
      "blk\\.[2-4]\\.ffn_down_exps=iq2_xxs"),
    "--output-tensor-type", "q6_k", "--token-embedding-type", "q4_k"], 0.4],
  ["dynamic 2.51 bits, as of DeepSeek-R1", mixture, "Q2_K", [
    ...rules("attn_=q6_k", "ffn_down_exps=q3_k"),
    "--output-tensor-type", "q6_k", "--token-embedding-type", "q4_k"], 0.1],
  ["dynamic Q4_K, as of Qwen3-30B-A3B", mixture, "Q4_K_M", [
    ...rules("attn_(q|k|v|output)=q6_k", "ffn_down_exps=q5_k"),
    "--output-tensor-type", "q6_k", "--token-embedding-type", "q6_k"], 0.01],
  ["MXFP4 experts", mixture, "MXFP4_MOE", [], 0.05],
  ["custom types for experts", mixture, "Q4_K_S", [
    "--custom-q", "blk\\.(0|7)\\.ffn_down_exps=q6_k,ffn_down_exps=q5_k,ffn_(gate|up)_exps=iq4_nl",
    "--custom-q", "attn_.*=q8_0,token_embd=q8_0,output=q6_k"], 0.01],
  ["Q4_K_L: embedding and output in Q8_0", MODEL, "Q4_K_M", [
    "--output-tensor-type", "q8_0", "--token-embedding-type", "q8_0"], 0.01],
  ["Q4_K_M with Q6_K output", MODEL, "Q4_K_M", ["--output-tensor-type", "q6_k"], 0.01],
  ["IQ4_XS with Q8_0 embedding", MODEL, "IQ4_XS", ["--token-embedding-type", "q8_0"], 0.05],
  ["odd and even layers", MODEL, "Q4_K_M",
    rules("\\.(\\d*[13579])\\.attn_k=q5_k", "\\.(\\d*[02468])\\.attn_q=q3_k"), 0.05],
  ["Q3_K_M with Q8_0 attention", MODEL, "Q3_K_M", rules("attn_=q8_0"), 0.1],
];

for (const [title, source, type, options, most] of RECIPES) {
  test(title, async (t) => {
    const path = join(folder, "made.gguf");
    rmSync(path, {force: true});
    // The matrix knows the dense model's tensors only.
    const flags = ["--imatrix", IMATRIX, "--ignore-imatrix-rules", ...options];
    sluice("quantize", ...flags, source, path, type);
    const {divergence} = await (source === mixture ? experts : dense).compare(path);
    t.diagnostic(`KL divergence ${divergence.toFixed(4)}`);
    assert.ok(divergence > 0 && divergence < most, `KL divergence ${divergence}`);
  });
}

test("the mixture computes what its expert does", () => {
  assert.ok(Math.abs(experts.perplexity / dense.perplexity - 1) < 1e-2,
    `${experts.perplexity} and ${dense.perplexity}`);
});
