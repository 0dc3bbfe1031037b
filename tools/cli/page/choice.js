// The types that were chosen for a size, and what else each tensor could have had.

/** Tensors with their place, type, size and foretold divergence; `types` are by rising size. */
const chosenTensors = ({mix}) =>
    mix.tensors.map((tensor) => ({...placed(tensor), ...tensor.types[tensor.chosen]}));

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

/** What a table tells of the choice of its rows' tensors. */
const choiceColumns = (tensors) => {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const of = (row) => byName.get(row.name) || {types: []};
  const texts = ({types, rule}) =>
      types.length < 2 ? rule || '' : types.map((each) => each.type).join(' ');
  return [
    numberColumn('foretold divergence', (row) => of(row).divergence), {
      title: 'could have had',
      value: (row) => of(row).types.length,
      text: (row) => texts(of(row)),
      cell: (row) => candidates(of(row))
    }
  ];
};

const choiceTable = (tensors) => {
  const all = sum(tensors, (tensor) => tensor.divergence);
  const [divergence, others] = choiceColumns(tensors);
  return table({
    caption: 'All tensors, those that add most to the divergence first',
    rows: tensors,
    columns: [
      nameColumn, textColumn('type', (row) => row.type),
      numberColumn('size', (row) => row.bytes, bytesText), divergence,
      numberColumn('share of it', (row) => all > 0 ? row.divergence / all : undefined, percentText),
      others
    ],
    sortBy: 3,
    descending: true
  });
};

/** The sections about a choice: {mix, types, measured}; `tensors` are its `chosenTensors`. */
const choiceSections = (choice, tensors, find) =>
    [frontierSection(choice),
     tensors.length ?
         section(
             'choice', 'The choice by kind and layer',
             h('p', {},
               'A cell is a tensor. Only those are shown that could have had another ' +
                   'type, or add to the divergence.'),
             choiceMap(tensors, choice.types, find)) :
         null];

const choicePage = () => {
  const tensors = chosenTensors(told.choice);
  const find = finder();
  const sections = choiceSections(told.choice, tensors, find);
  if (!tensors.length) return sections;
  find.table = choiceTable(tensors);
  return [
    ...sections, sizeSection([{label: told.label, tensors}], 'kind', find),
    section('tensors', 'All tensors', find.table)
  ];
};
