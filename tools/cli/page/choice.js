// The types that were chosen for a size, and what else each tensor could have had.

/** Tensors with their place, type, size and foretold divergence; `types` are by rising size. */
const chosenTensors = (choice) =>
    choice.tensors.map((tensor) => ({...placed(tensor), ...tensor.types[tensor.chosen]}));

/** Eight colours from few bits to many, for the types that are used: {style(type), items}. */
const bitColours = (tensors, types) => {
  const used = types.filter((type) => tensors.some((tensor) => tensor.type === type));
  const style = (type) =>
      `h${used.length > 1 ? Math.round(used.indexOf(type) * 7 / (used.length - 1)) : 4}`;
  const items = [...grouped(used, style)].map(([which, of]) => [swatch(which), of.join(', ')]);
  return {style, items};
};

const choiceMap = (tensors, types, find) => {
  const free = tensors.filter((tensor) => tensor.types.length > 1 || tensor.divergence > 0);
  const told = (tensor) => `${tensor.name}: ${tensor.type}, ${bytesText(tensor.bytes)}, adds ${
      numberText(tensor.divergence)}`;
  const typeMode = {
    label: 'types, by bits of a weight',
    tensors: free,
    value: (tensor) => types.indexOf(tensor.type) + 1,
    colours: () => {
      const {style, items} = bitColours(free, types);
      return {style: (value) => style(types[value - 1]), items};
    },
    told
  };
  const divergenceMode = {
    label: 'foretold divergence',
    tensors: free,
    value: (tensor) => tensor.divergence,
    colours: stepColours,
    told
  };
  return layerMap({
    label: 'Chosen types by kind of tensor and layer',
    modesOf: () => [typeMode, divergenceMode],
    find,
    none: 'There is nothing to show: no tensor of a layer had a choice.'
  });
};

/** What a tensor could have had, shown when it is asked for. */
const candidates = (tensor) => tensor.types.length < 2 ?
    tensor.rule || '' :
    h('details', {}, h('summary', {}, `${tensor.types.length} types`),
      h('ul', {class: 'candidates'},
        tensor.types.map(
            (each, i) =>
                h('li', {'aria-current': i === tensor.chosen && 'true'},
                  `${each.type}: ${bytesText(each.bytes)}, ${numberText(each.divergence)}`))));

const choiceTable = (tensors) => {
  const all = sum(tensors, (tensor) => tensor.divergence);
  return table({
    caption: 'All tensors, those that add most to the divergence first',
    rows: tensors,
    columns: [
      nameColumn, textColumn('type', (row) => row.type),
      numberColumn('size', (row) => row.bytes, bytesText),
      numberColumn('divergence', (row) => row.divergence),
      numberColumn('share of it', (row) => all > 0 ? row.divergence / all : undefined, percentText),
      {
        title: 'could have had',
        value: (row) => row.types.length,
        text: (row) =>
            row.types.length < 2 ? row.rule || '' : row.types.map((each) => each.type).join(' '),
        cell: candidates
      }
    ],
    sortBy: 3,
    descending: true
  });
};

const choicePage = () => {
  const tensors = chosenTensors(told.choice);
  const parts = [frontierSection(told)];
  if (!tensors.length) return parts;
  const find = finder();
  find.table = choiceTable(tensors);
  return [
    ...parts,
    section(
        'map', 'The choice by kind and layer',
        h('p', {},
          'A cell is a tensor. Only those are shown that could have had another type, or add to the divergence.'),
        choiceMap(tensors, told.types, find)),
    sizeSection([{label: told.label, tensors}], 'kind', find),
    section('tensors', 'All tensors', find.table)
  ];
};
