// Puts the page together: of the runs of reports, of a choice, of a comparison, or of a model.

const told = JSON.parse(document.getElementById('data').textContent);

const shapeText = (shape) => known(shape) ? shape.join(' × ') : '';

/** Shows tensors in the table of the page, once there is one. */
const finder = () => {
  const find = (name) => find.table && find.table.find(name);
  return find;
};

const weighted = {
  label: 'weighted by importance',
  name: 'weighted error',
  error: (tensor) => tensor.weighted_error,
  power: (tensor) => tensor.weighted_power
};
const plain = {
  label: 'all weights alike',
  name: 'plain error',
  error: (tensor) => tensor.plain_error,
  power: (tensor) => tensor.plain_power
};

/** Which of the two errors all runs have. Without an importance matrix they are one. */
const measuresOf = (runs) => [weighted, plain].filter(
    (measure) => (measure === plain ||
                  runs.some(
                      (run) => run.tensors.some(
                          (tensor) => tensor.weighted_error !== tensor.plain_error))) &&
        runs.every((run) => run.tensors.some((tensor) => shownError(measure.error(tensor)))));

const reportPage = () => {
  const runs = told.runs.map(
      (run) => (
          {...run, tensors: run.tensors.map((tensor) => placed({bytes: 0, type: '', ...tensor}))}));
  const copied = (tensor) => tensor.source === tensor.type;
  const made =
      runs.map((run) => ({...run, tensors: run.tensors.filter((tensor) => !copied(tensor))}));
  const find = finder();
  const measures = measuresOf(made);
  find.table = runs.length > 1 ? differenceTable(runs, measures[0] || plain) :
                                 tensorTable(runs[0], measures, copied);
  const {choice} = runs[0];
  return [
    ...(choice ? choiceSections(choice, chosenTensors(choice), find) : []),
    ...errorSections(
        made, measures, find,
        'No errors are told. They are measured ' +
            'where all of a tensor is made in one run with --report.'),
    sizeSection(runs, 'kind', find), historySection(runs),
    section('tensors', 'All tensors', find.table)
  ];
};

const tensorTable = (run, measures, copied) => {
  const shares = new Map(
      measures.length ? measured(run, measures[0]).map((each) => [each.name, each.share]) : []);
  const columns = [
    nameColumn, textColumn('type', (row) => row.type + (row.asked ? ` for ${row.asked}` : '')),
    textColumn('from', (row) => copied(row) ? 'copied' : row.stored_as || row.source || ''),
    numberColumn('size', (row) => row.bytes, bytesText),
    ...measures.map(
        (measure) =>
            numberColumn(measure.name, (row) => copied(row) ? undefined : measure.error(row))),
    numberColumn('share of the error', (row) => shares.get(row.name), percentText),
    ...(run.choice ? choiceColumns(chosenTensors(run.choice)) : [])
  ];
  return table({
    caption: measures.length ? 'All tensors, those with the largest error first' :
                               'All tensors, the largest first',
    rows: run.tensors,
    columns,
    sortBy: measures.length ? 4 : 3,
    descending: true
  });
};

/** Of several runs: what became of each tensor in each, and the ratio to the first. */
const differenceTable = (runs, error) => {
  const rows = new Map();
  runs.forEach((run, i) => run.tensors.forEach((tensor) => {
    if (!rows.has(tensor.name)) rows.set(tensor.name, {name: tensor.name, of: []});
    rows.get(tensor.name).of[i] = tensor;
  }));
  const get = (i, key) => (row) => row.of[i] && key(row.of[i]);
  const columns = [nameColumn];
  runs.forEach(
      (run, i) => columns.push(
          textColumn(`${run.label}: type`, (row) => get(i, (tensor) => tensor.type)(row) || '–'),
          numberColumn(`${run.label}: size`, get(i, (tensor) => tensor.bytes), bytesText),
          numberColumn(`${run.label}: error`, get(i, error.error))));
  runs.slice(1).forEach(
      (run, i) => columns.push(numberColumn(
          `error, ${run.label} against ${runs[0].label}`,
          (row) => get(0, error.error)(row) > 0 && get(i + 1, error.error)(row) > 0 ?
              get(i + 1, error.error)(row) / get(0, error.error)(row) :
              undefined,
          ratioText)));
  return table({
    caption: 'All tensors of all runs, those whose error grows most first',
    rows: [...rows.values()],
    columns,
    sortBy: columns.length - 1,
    descending: true
  });
};

const comparePage = () => {
  const sides = ['a', 'b'];
  const tensors = told.comparison.tensors.map(
      (tensor) => ({
        ...placed(tensor),
        plain_error: tensor.error,
        type: sides.map((side) => tensor[side] ? tensor[side].type : '–').join(' → ')
      }));
  const of = (side, i) => ({
    label: `${side}, ${told.labels[i]}`,
    tensors: tensors.filter((each) => each[side])
                 .map((each) => ({...each, type: each[side].type, bytes: each[side].bytes}))
  });
  const find = finder();
  find.table = table({
    caption: 'All tensors, those with the largest error first',
    rows: tensors,
    sortBy: 2,
    descending: true,
    columns: [
      nameColumn, textColumn('types', (row) => row.type), numberColumn('error', (row) => row.error),
      numberColumn('cosine', (row) => row.cosine, (value) => value.toFixed(6)),
      numberColumn('largest difference', (row) => row.max_absolute),
      numberColumn('differing bytes', (row) => row.differing_bytes, countText),
      textColumn('not compared', (row) => row.why_not || '')
    ]
  });
  const power = (tensor) => tensor.power;
  const measures = tensors.some((tensor) => shownError(tensor.error)) ? [{...plain, power}] : [];
  return [
    ...errorSections(
        [{label: told.labels[1], tensors}], measures, find, 'No tensor differs in its weights.'),
    sizeSection(sides.map(of), 'kind', find), section('tensors', 'All tensors', find.table)
  ];
};

const modelPage = () => {
  const {model} = told;
  const find = finder();
  const parts = [];
  if (model.tensors) {
    const tensors = model.tensors.map((tensor) => ({...placed(tensor), bytes: tensor.size}));
    const columns = [
      nameColumn, textColumn('type', (row) => row.stored_as || row.type),
      textColumn('shape', (row) => shapeText(row.shape)),
      numberColumn('size', (row) => row.bytes, bytesText),
      numberColumn('offset', (row) => row.offset, countText)
    ];
    if (model.files.length > 1)
      columns.push(numberColumn('part', (row) => row.file + 1, countText));
    find.table = table({
      caption: 'Tensors, the largest first',
      rows: tensors,
      columns,
      sortBy: 3,
      descending: true
    });
    parts.push(
        sizeSection([{label: told.label, tensors}], 'layer', find),
        section('tensors', 'Tensors', find.table));
  }
  if (model.metadata) {
    const rows = Object.entries(model.metadata).map(([name, value]) => ({name, ...value}));
    const typeText = (row) => row.type === 'array' ? `${row.element}[${row.count}]` : row.type;
    const valueText = (row) =>
        (typeof row.value === 'string' ? row.value : JSON.stringify(row.value)) +
        (known(row.count) && row.count > row.value.length ? ' …' : '');
    parts.push(section('metadata', 'Metadata', table({
                         caption: 'Metadata by key',
                         rows,
                         columns: [
                           {...nameColumn, title: 'key'}, textColumn('type', typeText),
                           textColumn('value', valueText)
                         ]
                       })));
  }
  return parts;
};

const parts = {
  report: reportPage,
  choice: choicePage,
  compare: comparePage,
  model: modelPage
}[told.page]().filter((part) => part !== null);
const contents = [...parts, document.getElementById('facts')];
document.querySelector('header').append(
    h('nav', {class: 'contents', 'aria-label': 'On this page'},
      contents.map((part) => h('a', {href: `#${part.id}`}, part.querySelector('h2').textContent))));
document.getElementById('page').replaceChildren(...parts);
