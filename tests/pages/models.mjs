// Reports and models as sluice writes them of a small, a dense and a DeepSeek-shaped model, made of
// seeded numbers: what a type's error is, how kinds and layers differ, a run that is limited by this
// and that.

import {closeSync, ftruncateSync, openSync, writeSync} from 'node:fs';

/** Mulberry32: numbers from 0 to 1 that are the same everywhere. */
export const random = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

/** Bits of a weight, and relative error. */
export const TYPES = {
  f32: [32, 0],
  bf16: [16, 0],
  q8_0: [8.5, 2e-5],
  q6_k: [6.5625, 2.4e-4],
  q5_k: [5.5, 9e-4],
  q4_k: [4.5, 4e-3],
  iq4_xs: [4.25, 5e-3],
  q3_k: [3.4375, 1.8e-2],
  q2_k: [2.625, 7e-2],
  iq2_xxs: [2.0625, 8e-2],
  iq1_m: [1.75, 0.2]
};

/** Kinds of a layer: name, shape, and the type with each file type; none: kept as F32. */
const LLAMA = (width, inner) => [
    ['attn_norm', [width]], ['attn_q', [width, width], 'iq1_m', 'q4_k'],
    ['attn_k', [width, width / 4], 'iq1_m', 'q4_k'], ['attn_v', [width, width / 4], 'q2_k', 'q6_k'],
    ['attn_output', [width, width], 'iq2_xxs', 'q4_k'], ['ffn_norm', [width]],
    ['ffn_gate', [width, inner], 'iq1_m', 'q4_k'], ['ffn_up', [width, inner], 'iq1_m', 'q4_k'],
    ['ffn_down', [inner, width], 'q2_k', 'q6_k']];

const DEEPSEEK = [
  ['attn_norm', [7168]],
  ['attn_q_a', [7168, 1536], 'q4_k', 'q5_k'],
  ['attn_q_a_norm', [1536]],
  ['attn_q_b', [1536, 24576], 'q4_k', 'q5_k'],
  ['attn_kv_a_mqa', [7168, 576], 'q4_k', 'q6_k'],
  ['attn_kv_a_norm', [512]],
  ['attn_kv_b', [512, 32768], 'q4_k', 'q6_k'],
  ['attn_k_b', [128, 65536], 'q4_k', 'q6_k'],
  ['attn_v_b', [512, 16384], 'q4_k', 'q6_k'],
  ['attn_output', [16384, 7168], 'iq2_xxs', 'q4_k'],
  ['ffn_norm', [7168]],
  ['ffn_gate_inp', [7168, 256]],
  ['exp_probs_b.bias', [256]],
  ['ffn_gate_inp_shexp', [7168]],
  ['ffn_gate_exps', [7168, 2048, 256], 'iq1_m', 'iq2_xxs'],
  ['ffn_up_exps', [7168, 2048, 256], 'iq1_m', 'iq2_xxs'],
  ['ffn_down_exps', [2048, 7168, 256], 'iq1_m', 'q2_k'],
  ['ffn_gate_shexp', [7168, 2048], 'q4_k', 'q5_k'],
  ['ffn_up_shexp', [7168, 2048], 'q4_k', 'q5_k'],
  ['ffn_down_shexp', [2048, 7168], 'q5_k', 'q6_k']
];

export const MODELS = {
  small: {
    title: 'Tiny Llama',
    architecture: 'llama',
    layers: 4,
    width: 512,
    vocabulary: 8000,
    kinds: LLAMA(512, 1536)
  },
  dense: {
    title: 'Llama 8B',
    architecture: 'llama',
    layers: 32,
    width: 4096,
    vocabulary: 128256,
    kinds: LLAMA(4096, 14336)
  },
  deepseek: {
    title: 'DeepSeek V3',
    architecture: 'deepseek2',
    layers: 61,
    width: 7168,
    vocabulary: 129280,
    kinds: DEEPSEEK
  },
};

const product = (shape) => shape.reduce((all, extent) => all * extent, 1);

/** [name, shape, type] of all tensors; `types` is 0 for IQ1_M, 1 for Q4_K_M. */
export const tensorsOf = ({layers, width, vocabulary, kinds}, types) => {
  const all = [
    ['token_embd.weight', [width, vocabulary], ['q2_k', 'q4_k'][types]],
    ['output_norm.weight', [width], 'f32'],
    ['output.weight', [width, vocabulary], ['q5_k', 'q6_k'][types]]
  ];
  for (let layer = 0; layer < layers; ++layer) {
    for (const [kind, shape, ...choice] of kinds) {
      // As in real mixes, some layers get more.
      const type =
          layer < layers / 8 && choice[types] === 'iq1_m' ? 'iq2_xxs' : choice[types] || 'f32';
      all.push([`blk.${layer}.${kind}${kind.endsWith('bias') ? '' : '.weight'}`, shape, type]);
    }
  }
  return all;
};

/** A run's report. */
export const report = (model, types, seed) => {
  const next = random(seed);
  const noise = () => Math.exp(0.5 * (next() + next() + next() - 1.5));
  const kindFactors = new Map();
  const file_type = ['IQ1_M', 'Q4_K_M'][types];
  const tensors = tensorsOf(model, types).map(([name, shape, type]) => {
    const [bits, error] = TYPES[type];
    const [, layer, kind] = /^(?:blk\.(\d+)\.)?(.*)$/.exec(name);
    if (!kindFactors.has(kind)) kindFactors.set(kind, noise());
    const plain = error * kindFactors.get(kind) * noise() * (1 + 0.4 * (layer || 0) / model.layers);
    const weights = product(shape);
    const copied = type === 'f32';
    return {
      name,
      source: copied ? 'f32' : 'bf16',
      type,
      shape,
      source_bytes: weights * (copied ? 4 : 2),
      bytes: Math.ceil(weights * bits / 8),
      crc32: '0x00000000',
      weighted_error: copied ? 0 : plain * (0.6 + 0.2 * next()),
      plain_error: plain,
      weighted_power: weights * 0.02,
      plain_power: weights * 0.02
    };
  });
  const made = tensors.filter(({source, type}) => source !== type);
  const sum = (key) => made.reduce((all, each) => all + each[key], 0);
  const total = (kind) =>
      made.reduce((all, each) => all + each[`${kind}_error`] * each[`${kind}_power`], 0) /
      sum(`${kind}_power`);
  const weights = made.reduce((all, {shape}) => all + product(shape), 0);
  const input = tensors.reduce((all, each) => all + each.source_bytes, 0);
  const wall = 20 + weights / 4e8 * (types ? 0.6 : 1);
  const samples = [];
  let read = 0;
  for (let i = 1; i <= 120; ++i) {
    const disk = 0.15 + 0.5 * next() * (i < 40 ? 1 : 0.3);
    const budget = 0.1 * next();
    read += input / 120 * (0.8 + 0.4 * next());
    samples.push({
      t: wall * i / 120,
      read: Math.round(read),
      written: Math.round(read * (types ? 0.29 : 0.12)),
      weights: Math.round(weights * i / 120),
      limit: disk > 0.45 ? 'disk' : 'cores',
      disk,
      budget,
      cores: 1 - disk - budget
    });
  }
  return {
    version: '0.4.0',
    date: '2026-11-28T01:02:03Z',
    command: `sluice quantize --imatrix matrix.gguf --report run.json model-BF16.gguf ${file_type}`,
    input: '/models/model-BF16.gguf',
    output: `/models/model-${file_type}.gguf`,
    model: model.title,
    architecture: model.architecture,
    file_type,
    imatrix: 'matrix.gguf',
    effort: 'best',
    total_error:
        {weighted: total('weighted'), plain: total('plain'), measured_weights: weights, weights},
    worst: [...made]
               .sort((a, b) => b.weighted_error - a.weighted_error)
               .slice(0, 10)
               .map(({name}) => name),
    wall_s: wall,
    read_bytes: input,
    read_s: wall * 0.4,
    write_bytes: tensors.reduce((all, each) => all + each.bytes, 0),
    write_s: wall * 0.1,
    compute_s: wall * 14,
    wait_disk_s: wall * 0.22,
    wait_cores_s: wall * 0.7,
    wait_budget_s: wall * 0.08,
    workers_busy: 0.9,
    resumed_bytes: 0,
    peak_anon_bytes: 5e8,
    threads: 16,
    spindle: 'separate',
    spindle_reason: 'one solid state disk',
    io: 'async',
    isa: 'avx512',
    tensors,
    samples
  };
};

/** Writes a GGUF file of a model in BF16: its header, and a hole for the data. */
export const writeModel = (model, path) => {
  const parts = [];
  const number = (value, bytes) => {
    const buffer = Buffer.alloc(bytes);
    bytes === 8 ? buffer.writeBigUInt64LE(BigInt(value)) : buffer.writeUInt32LE(value);
    parts.push(buffer);
  };
  const text = (value) => {
    const buffer = Buffer.from(value);
    number(buffer.length, 8);
    parts.push(buffer);
  };
  const tensors = tensorsOf(model, 0);
  const facts = {
    'general.architecture': model.architecture,
    'general.name': model.title,
    'general.license': 'mit',
    [`${model.architecture}.block_count`]: model.layers,
    [`${model.architecture}.embedding_length`]: model.width,
    'tokenizer.chat_template':
        '{% for message in messages %}{{ message.content }}{% endfor %}\n'.repeat(8)
  };
  parts.push(Buffer.from('GGUF'));
  number(3, 4);
  number(tensors.length, 8);
  number(Object.keys(facts).length, 8);
  for (const [key, value] of Object.entries(facts)) {
    text(key);
    number(typeof value === 'string' ? 8 : 4, 4);
    typeof value === 'string' ? text(value) : number(value, 4);
  }
  let offset = 0;
  for (const [name, shape, type] of tensors) {
    text(name);
    number(shape.length, 4);
    for (const extent of shape) number(extent, 8);
    number(type === 'f32' ? 0 : 30, 4);
    number(offset, 8);
    offset += Math.ceil(product(shape) * (type === 'f32' ? 4 : 2) / 32) * 32;
  }
  const header = Buffer.concat(parts);
  const file = openSync(path, 'w');
  writeSync(file, header);
  ftruncateSync(file, Math.ceil(header.length / 32) * 32 + offset);
  closeSync(file);
};
