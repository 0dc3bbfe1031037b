// How far a quantized model's next-token distributions are from those of its source, in real
// llama.cpp. The method is that of llama.cpp's own perplexity program: the text, with a
// begin-of-sequence token before it, is cut into chunks of one context each; each chunk's first
// token is replaced by begin-of-sequence; only predictions in the second half of a chunk count, so
// that every one of them sees at least half a context.

import {readFileSync} from "node:fs";
import {isDeepStrictEqual} from "node:util";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

export const CONTEXT = 256;
const FIRST_SCORED = CONTEXT / 2;
const SCORED = CONTEXT - 1 - FIRST_SCORED;
// llama.cpp's threads wait for one another by spinning. On a machine that is busy with other tests,
// two take three times as long as one.
const THREADS = 1;

// Plain softmax over the whole vocabulary: every filter of the sampler is off.
const WHOLE_DISTRIBUTION = {
  generateNext: {
    probabilities: true,
    options: {temperature: 1, topK: 0, topP: 1, minP: 0},
  },
};

let engine;

/** Starts llama.cpp as it came in the package; nothing is built or downloaded. */
async function llama() {
  engine ??= await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
  });
  return engine;
}

/** Frees llama.cpp, so that the process can end by itself. */
export async function shutDown() {
  await engine?.dispose();
  engine = undefined;
}

/** Loads a model with llama.cpp's checks of all tensor data. Throws if llama.cpp refuses it. */
export async function loadModel(modelPath) {
  return (await llama()).loadModel({modelPath, gpuLayers: 0, checkTensors: true});
}

/** Probabilities in the order of the vocabulary. */
function rowOf({probabilities: all}) {
  const row = Array(all.size);
  for (const [token, p] of all) row[token] = p;
  return row;
}

/** A model's next-token distributions after each of some tokens that any vocabulary has. */
export async function distributions(modelPath) {
  const model = await loadModel(modelPath);
  const context = await model.createContext({contextSize: 64, threads: THREADS});
  const input = Array.from({length: 16}, (_, i) => [10 + i * 7, WHOLE_DISTRIBUTION]);
  const output = await context.getSequence().controlledEvaluate(input);
  await model.dispose();
  return output.map(({next}) => rowOf(next));
}

/**
 * A model's next-token distributions after each token of sequences from the one numbered `first` on;
 * `type` is that of keys and values.
 */
export async function probabilities(modelPath, sequences, first, type = "F32") {
  const model = await loadModel(modelPath);
  const context = await model.createContext({
    contextSize: sequences[0].length + 8,
    batchSize: Math.min(sequences[0].length, 512),
    threads: THREADS,
    flashAttention: false,
    experimentalKvCacheKeyType: type,
    experimentalKvCacheValueType: type,
  });
  const sequence = context.getSequence();
  const rows = [];
  for (const tokens of sequences) {
    await sequence.clearHistory();
    const output = await sequence.controlledEvaluate(
      tokens.map((token, i) => i < first ? token : [token, WHOLE_DISTRIBUTION]));
    rows.push(...output.slice(first).map(({next}) => rowOf(next)));
  }
  await model.dispose();
  return rows;
}

/** Mean Kullback-Leibler divergence in nats of rows of probabilities from others. */
export function meanDivergence(truth, rows) {
  return rows.reduce((sum, row, i) => sum + row.reduce((a, q, k) =>
    truth[i][k] > 0 ? a + truth[i][k] * Math.log(truth[i][k] / Math.max(q, TINY)) : a, 0), 0) /
    rows.length;
}

/** Cuts a text into at most `limit` chunks of CONTEXT tokens, each begun by BOS. */
function chunksOf(model, text, limit) {
  const {bos} = model.tokens;
  const tokens = [bos, ...model.tokenize(text)];
  const count = Math.min(limit, Math.floor(tokens.length / CONTEXT));
  if (count === 0) throw new Error(`the text has fewer than ${CONTEXT} tokens`);
  return Array.from({length: count}, (_, i) =>
    [bos, ...tokens.slice(i * CONTEXT + 1, (i + 1) * CONTEXT)]);
}

/** The same of a text file, as a model cuts it into tokens. */
export async function chunks(modelPath, textPath, limit) {
  const model = await loadModel(modelPath);
  const cut = chunksOf(model, readFileSync(textPath, "utf8"), limit);
  await model.dispose();
  return cut;
}

/**
 * Runs a model over chunks of tokens and hands each scored prediction to `visit(index, actual,
 * probabilities)`: the prediction's number, the token that did come, and a Map from token to
 * probability.
 */
async function predict(model, chunks, visit) {
  const context = await model.createContext({
    contextSize: CONTEXT,
    batchSize: CONTEXT,
    threads: THREADS,
  });
  const sequence = context.getSequence();
  for (const [c, chunk] of chunks.entries()) {
    await sequence.clearHistory();
    const input = chunk.slice(0, -1).map((token, i) =>
      i < FIRST_SCORED ? token : [token, WHOLE_DISTRIBUTION]);
    const output = await sequence.controlledEvaluate(input);
    for (let i = FIRST_SCORED; i < CONTEXT - 1; ++i) {
      visit(c * SCORED + i - FIRST_SCORED, chunk[i + 1], output[i].next.probabilities);
    }
  }
  await context.dispose();
}

/** Mean and its standard error. */
function meanOf(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1);
  return {mean, error: Math.sqrt(variance / values.length)};
}

function perplexityOf(losses) {
  const {mean, error} = meanOf(losses);
  return {perplexity: Math.exp(mean), perplexityError: Math.exp(mean) * error};
}

// Single precision gives 0 below 1e-38, and infinite divergences help nobody.
const TINY = 1e-38;

/** The reference model's distributions over a text, kept to hold any number of models against. */
export class Reference {
  /** @param {string} modelPath @param {string} textPath @param {number} limit chunks at most */
  static async load(modelPath, textPath, limit) {
    const self = new Reference();
    const model = await loadModel(modelPath);
    self.text = readFileSync(textPath, "utf8");
    self.chunks = chunksOf(model, self.text, limit);
    self.distributions = [];
    const losses = [];
    await predict(model, self.chunks, (index, actual, probabilities) => {
      const row = new Float32Array(probabilities.size);
      for (const [token, p] of probabilities) row[token] = p;
      self.distributions[index] = row;
      losses[index] = -Math.log(Math.max(row[actual], TINY));
    });
    await model.dispose();
    Object.assign(self, perplexityOf(losses));
    return self;
  }

  /**
   * Compares a model with the reference.
   * @returns perplexity, mean Kullback-Leibler divergence from the reference in nats, and the
   *          share of predictions where both have the same first choice
   */
  async compare(modelPath) {
    const model = await loadModel(modelPath);
    const chunks = chunksOf(model, this.text, this.chunks.length);
    if (!isDeepStrictEqual(chunks, this.chunks)) {
      throw new Error(`${modelPath} cuts the text into other tokens than the reference does`);
    }
    const losses = [];
    const divergences = [];
    let agreed = 0;
    await predict(model, chunks, (index, actual, probabilities) => {
      const truth = this.distributions[index];
      if (probabilities.size !== truth.length) {
        throw new Error(`${modelPath} has another vocabulary than the reference`);
      }
      let divergence = 0;
      let choice = 0;
      let highest = -1;
      for (const [token, q] of probabilities) {
        const p = truth[token];
        if (p > 0) divergence += p * Math.log(p / Math.max(q, TINY));
        if (q > highest) [choice, highest] = [token, q];
      }
      divergences[index] = divergence;
      losses[index] = -Math.log(Math.max(probabilities.get(actual), TINY));
      if (truth[choice] === Math.max(...truth)) ++agreed;
    });
    await model.dispose();
    const {mean, error} = meanOf(divergences);
    return {
      model: modelPath,
      chunks: chunks.length,
      ...perplexityOf(losses),
      divergence: mean,
      divergenceError: error,
      sameFirstChoice: agreed / divergences.length,
    };
  }
}
