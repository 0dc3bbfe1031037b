// Tables that sort and search.

const nameColumn = {
  title: 'tensor',
  text: (row) => row.name,
  value: (row) => row.name
};
const textColumn = (title, text) => ({title, text, value: text});
const numberColumn = (title, value, text = numberText) =>
    ({title, value, text: (row) => known(value(row)) ? text(value(row)) : '', numeric: true});

/** A long text, of which the beginning is shown until it is opened. */
const shortened = (text) =>
    text.length <= 300 ? text : h('details', {}, h('summary', {}, `${text.slice(0, 200)}…`), text);

/**
 * Columns are {title, value(row), text(row), numeric, cell(row)}: sorted by `value`, `text` is
 * searched, and shown if there is no `cell`; those without any text are left out. Of the rows that are found a few are shown first.
 * A search is for words anywhere in a row, or for one whole name in quotes.
 * @returns an element with `find(name)`
 */
const table = ({caption, rows, columns: all, sortBy, descending}) => {
  const STEP = 30;
  let order = {column: all[sortBy || 0], descending: Boolean(descending)};
  const columns = all.filter((column) => rows.some((row) => column.text(row) !== ''));
  let limit = STEP;
  const found = h('output', {});
  const input = h('input', {
    type: 'search',
    oninput: () => show(STEP),
    spellcheck: 'false',
    placeholder: 'words of a name or type',
    'aria-label': `Search: ${caption}`
  });
  const body = h('tbody', {role: 'rowgroup'});
  const more = h('button', {type: 'button', onclick: () => show(Infinity)});
  const textOf = (row) => columns.map((column) => column.text(row)).join(' ').toLowerCase();
  const texts = new Map(rows.map((row) => [row, textOf(row)]));

  const heads = columns.map(
      (column) =>
          h('th', {scope: 'col', role: 'columnheader', class: column.numeric && 'number'},
            h('button', {
              type: 'button',
              onclick: () => {
                const again = order.column === column;
                order = {column, descending: again ? !order.descending : Boolean(column.numeric)};
                show(limit);
              }
            },
              column.title)));

  const compare = (a, b) => {
    const [one, other] = [a, b].map(order.column.value);
    if (known(one) !== known(other)) return known(one) ? -1 : 1;  // what is not known comes last
    const before =
        typeof one === 'string' ? one.localeCompare(other, 'en', {numeric: true}) : one - other;
    return order.descending ? -before : before;
  };

  const cell = (column, row, first) =>
      h(first ? 'th' : 'td', {
        scope: first && 'row',
        role: first ? 'rowheader' : 'cell',
        class: column.numeric && 'number',
      },
        column.cell ? column.cell(row) : shortened(column.text(row)));

  const show = (most) => {
    limit = most;
    const [, name] = /^"(.*)"$/s.exec(input.value) || [];
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = name === undefined ?
        (row) => words.every((word) => texts.get(row).includes(word)) :
        (row) => row.name === name;
    const fitting = rows.filter(fits).sort(compare);
    body.replaceChildren(...fitting.slice(0, limit).map(
        (row) => h('tr', {role: 'row'}, columns.map((column, i) => cell(column, row, i === 0)))));
    heads.forEach(
        (head, i) => head.setAttribute(
            'aria-sort',
            columns[i] !== order.column ? 'none' :
                order.descending        ? 'descending' :
                                          'ascending'));
    found.textContent = `${countText(fitting.length)} of ${countText(rows.length)}`;
    more.hidden = fitting.length <= limit;
    more.textContent = `Show all ${countText(fitting.length)}`;
  };
  show(STEP);
  const find = (name) => {
    input.value = `"${name}"`;
    show(STEP);
    input.focus({preventScroll: true});
    input.scrollIntoView({block: 'start'});
  };
  return Object.assign(
      h('div', {}, h('div', {class: 'controls'}, input, found),
        h('table', {role: 'table', class: 'rows'}, h('caption', {}, caption),
          h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, heads)), body),
        more),
      {find});
};
