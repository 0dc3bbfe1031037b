// A small mixture of experts, made of the trained model in tests/data: every expert is that model's
// feed-forward part, so that the mixture computes what the model does, whatever the router says.

import {closeSync, openSync, readFileSync, writeSync} from "node:fs";

const EXPERTS = 8;
const USED = 2;
const FIXED_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8};
const [U32, STRING, ARRAY, F32, F16] = [4, 8, 9, 0, 1];
const ALIGNMENT = 32;

/** Walks through a GGUF file's header. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  u32() {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  u64() {
    this.at += 8;
    return Number(this.bytes.readBigUInt64LE(this.at - 8));
  }

  text() {
    const size = this.u64();
    this.at += size;
    return this.bytes.toString("utf8", this.at - size, this.at);
  }

  skipValue(type) {
    if (type === STRING) {
      this.text();
    } else if (type === ARRAY) {
      const element = this.u32();
      for (let left = this.u64(); left > 0; --left) this.skipValue(element);
    } else {
      this.at += FIXED_SIZES[type];
    }
  }
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value) {
  return Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
}

const padded = (size) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

/** Name, extents, type and data of a model's tensors, and its metadata's bytes and number. */
function readModel(path) {
  const bytes = readFileSync(path);
  const reader = new Reader(bytes);
  reader.at = 8;
  const count = reader.u64();
  const keys = reader.u64();
  const begin = reader.at;
  for (let i = 0; i < keys; ++i) {
    reader.text();
    reader.skipValue(reader.u32());
  }
  const metadata = bytes.subarray(begin, reader.at);
  const tensors = Array.from({length: count}, () => {
    const name = reader.text();
    const shape = Array.from({length: reader.u32()}, () => reader.u64());
    return {name, shape, type: reader.u32(), offset: reader.u64()};
  });
  const data = padded(reader.at);
  for (const tensor of tensors) {
    const weights = tensor.shape.reduce((a, b) => a * b, 1);
    const size = weights * (tensor.type === F32 ? 4 : 2);
    tensor.data = bytes.subarray(data + tensor.offset, data + tensor.offset + size);
  }
  return {metadata, keys, tensors};
}

/** Writes the mixture that is made of the model at `source`. */
export function writeMixture(source, path) {
  const {metadata, keys, tensors} = readModel(source);
  const mixed = tensors.flatMap((tensor) => {
    const part = /^(blk\.\d+\.)(ffn_(gate|up|down))\.weight$/.exec(tensor.name);
    if (!part) return [tensor];
    if (tensor.type !== F16) throw new Error(`${tensor.name} is no F16`);
    const stacked = {
      name: `${part[1]}${part[2]}_exps.weight`,
      shape: [...tensor.shape, EXPERTS],
      type: F16,
      data: Buffer.concat(Array(EXPERTS).fill(tensor.data)),
    };
    if (part[3] !== "gate") return [stacked];
    const router = {
      name: `${part[1]}ffn_gate_inp.weight`,
      shape: [tensor.shape[0], EXPERTS],
      type: F32,
      data: Buffer.alloc(tensor.shape[0] * EXPERTS * 4),
    };
    return [stacked, router];
  });
  const added = [["llama.expert_count", EXPERTS], ["llama.expert_used_count", USED]];
  let offset = 0;
  const described = mixed.map(({name, shape, type, data}) => {
    const bytes = [text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset)];
    offset += padded(data.length);
    return Buffer.concat(bytes);
  });
  const header = Buffer.concat([
    Buffer.from("GGUF"), u32(3), u64(mixed.length), u64(keys + added.length), metadata,
    ...added.map(([key, value]) => Buffer.concat([text(key), u32(U32), u32(value)])),
    ...described,
  ]);
  const file = openSync(path, "w");
  const writePadded = (bytes) => {
    writeSync(file, bytes);
    writeSync(file, Buffer.alloc(padded(bytes.length) - bytes.length));
  };
  writePadded(header);
  for (const {data} of mixed) writePadded(data);
  closeSync(file);
}
