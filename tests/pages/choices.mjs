// Choices of types for a size, as sluice writes them, of made-up models.

import {MODELS, random, tensorsOf, TYPES} from './models.mjs';

const product = (shape) => shape.reduce((all, extent) => all * extent, 1);

/** Bytes and divergence of all tensors, `picked` being the index of each one's type. */
const total = (tensors, picked, key) =>
    tensors.reduce((all, {types}, i) => all + types[picked[i]][key], 0);

/** Steps to the next type of a tensor, those that gain the most for a byte first. */
const steps = (tensors) =>
    tensors
        .flatMap(
            ({types}, at) => types.slice(1).map(
                (type, i) => ({
                  at,
                  gain: (types[i].divergence - type.divergence) / (type.bytes - types[i].bytes)
                })))
        .sort((a, b) => b.gain - a.gain);

/**
 * A choice that takes a share of the steps from the smallest file to the largest. Types of a tensor
 * are on their convex hull, as errors fall by the same factor for each bit.
 */
export const choice = (model, share, seed) => {
  const next = random(seed);
  const few =
      Object.entries(TYPES).filter(([, [bits]]) => bits < 8).sort((a, b) => a[1][0] - b[1][0]);
  const tensors = tensorsOf(model, 0).map(([name, shape, type]) => {
    const weights = product(shape);
    const bytes = (bits) => Math.ceil(weights * bits / 8);
    if (type === 'f32') {
      return {
        name,
        types: [{type, bytes: bytes(32), divergence: 0}],
        chosen: 0,
        rule: 'norms are kept'
      };
    }
    const gain = weights / 3e10 * Math.exp(3 * next()) * (name.includes('ffn_down') ? 4 : 1);
    return {
      name,
      types: few.map(
          ([each, [bits]]) => ({type: each, bytes: bytes(bits), divergence: gain * 4 ** -bits})),
      chosen: 0,
      rule: ''
    };
  });
  const picked = tensors.map(() => 0);
  const point = () => ({
    name: '',
    bytes: total(tensors, picked, 'bytes'),
    divergence: total(tensors, picked, 'divergence')
  });
  const frontier = [point()];
  const all = steps(tensors);
  all.forEach(({at}, i) => {
    ++picked[at];
    frontier.push(point());
    if (i === Math.floor(share * all.length)) tensors.forEach((each, j) => each.chosen = picked[j]);
  });
  const mixes = few.map(([name], i) => {
    const same = tensors.map(({types}) => Math.min(i, types.length - 1));
    return {
      name: name.toUpperCase(),
      bytes: total(tensors, same, 'bytes'),
      divergence: total(tensors, same, 'divergence')
    };
  });
  const chosen = tensors.map((each) => each.chosen);
  return {
    bytes: total(tensors, chosen, 'bytes'),
    divergence: total(tensors, chosen, 'divergence'),
    measured: 'with text.txt (4096 tokens)',
    file: 'model.measurements.json',
    tensors,
    frontier,
    mixes
  };
};

/** Divergences of three files on it, as they could have been measured, as a table. */
export const measured = ({frontier}, seed) => {
  const next = random(seed);
  const lines = [0.3, 0.5, 0.7].map((share) => {
    const {bytes, divergence} = frontier[Math.floor(share * frontier.length)];
    return `${bytes} ${divergence * (0.8 + 0.5 * next())} chosen for ${
        (bytes / 2 ** 30).toFixed(1)} GiB\n`;
  });
  return `# bytes divergence name\n${lines.join('')}`;
};

const attack =
    '"><script>document.title = "owned"</script><img src=x onerror="document.title = 1">';

/** A choice of names and numbers as no model has them. */
export const oddChoice = () => {
  const one = choice(MODELS.small, 0.4, 3);
  one.tensors[3].name = `blk.0.${'a_kind_of_a_name_that_does_not_end_'.repeat(8)}.weight`;
  one.tensors[4].name = `blk.1.${attack}`;
  one.tensors[5].rule = attack;
  one.tensors[6].types = [{type: attack, bytes: 0, divergence: 1e9}];
  one.tensors[6].chosen = 0;
  one.measured = attack;
  one.mixes[1].name = attack;
  one.mixes[2].divergence = 0;
  one.mixes[3].name = 'VeryLongNameWithoutAnySpace'.repeat(6);
  return one;
};

/** Of one size, with nothing foretold. */
export const emptyChoice = {
  bytes: 0,
  divergence: 0,
  frontier: [],
  tensors: []
};
