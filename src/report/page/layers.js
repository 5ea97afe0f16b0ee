// Every layer: where it runs, what it takes, what it loses, what another place would change.
function layerRow(run, unit, i) {
  const took = run.time ? run.time.units[i] : null;
  const own = run.on[i];
  const profiled = unit.ms ? unit.ms[own] : null;
  const best = took ?? profiled;
  return {
    order: i, unit, name: unit.name, on: data.processors[own], processor: own, took, profiled,
    spread: unit.spread ? unit.spread[own] : null,
    share: run.time && took !== null ? took / run.time.ms : null, macs: unit.macs,
    speed: best ? unit.macs / best / 1e6 : null,
    loss: run.loss ? run.loss[i] : unit.loss ? unit.loss[own] : null,
    move: run.moves && run.moves.to[i] !== null ? {to: run.moves.to[i], ms: run.moves.ms[i], loss: run.moves.loss[i]} : null,
  };
}

function moveText(move) {
  if (!move) return '–';
  return el('span', {class: 'move'}, swatch(tint(move.to)), named(data.processors[move.to]),
            ` ${signed(move.ms)} ms, ${signed(move.loss)}`);
}

const COLUMNS = [
  {key: 'order', text: 'Layer', cell: row => [el('span', {class: 'order'}, String(row.order + 1)), named(row.name),
                                            el('span', {class: 'ops'}, row.unit.ops)]},
  {key: 'on', text: 'Runs on', cell: row => placed(row.processor)},
  {key: 'took', text: 'ms', num: true, cell: row => num(row.took)},
  {key: 'share', text: 'Share', num: true, cell: row => row.share === null ? '–' : gauge(row.share, row.largest)},
  {key: 'profiled', text: 'Profile, ms', num: true,
   cell: row => row.profiled === null || row.profiled === undefined ? '–' : `${num(row.profiled)} ± ${num(row.spread, 2)}`},
  {key: 'macs', text: 'MACs', num: true, cell: row => count(row.macs)},
  {key: 'speed', text: 'GMAC/s', num: true, cell: row => num(row.speed)},
  {key: 'loss', text: 'Loss', num: true, cell: row => num(row.loss)},
  {key: 'move', text: 'Elsewhere', cell: row => moveText(row.move)},
];

// `largest` fills the track.
function gauge(share, largest) {
  const fill = el('span', {class: 'fill'});
  fill.style.width = `${100 * share / largest}%`;
  return el('span', {class: 'gauge'}, el('span', {class: 'track', 'aria-hidden': 'true'}, fill), percent(share));
}

// The table sorts by a column's button and shows the layers whose name or processor has the text.
function layerTable(run) {
  const rows = data.units.map((unit, i) => layerRow(run, unit, i));
  const largest = Math.max(...rows.map(row => row.share || 0)) || 1;
  for (const row of rows) row.largest = largest;
  const known = COLUMNS.filter(column => rows.some(row => row[column.key] !== null && row[column.key] !== undefined));
  const numeric = known.map(column => column.num ? 'num' : null);
  const body = el('tbody');
  for (const row of rows) {
    row.element = el('tr', {}, known.map((column, i) => i === 0 ? el('th', {scope: 'row'}, column.cell(row)) :
                                                                el('td', {class: numeric[i]}, column.cell(row))));
    row.words = `${row.name} ${row.on} ${row.unit.ops}`.toLowerCase();
    body.append(row.element);
  }
  const heads = known.map((column, i) => {
    const button = el('button', {type: 'button'}, column.text);
    const head = el('th', {scope: 'col', class: numeric[i], 'aria-sort': i === 0 ? 'ascending' : 'none'}, button);
    button.addEventListener('click', () => {
      // The first click puts the largest first, but for names.
      const down = head.getAttribute('aria-sort') === 'none' ? Boolean(column.num) : head.getAttribute('aria-sort') === 'ascending';
      for (const other of heads) other.setAttribute('aria-sort', other === head ? (down ? 'descending' : 'ascending') : 'none');
      const value = row => column.key === 'move' ? (row.move ? row.move.loss : 0) : row[column.key] ?? -Infinity;
      const sorted = [...rows].sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : a.order - b.order) * (down ? -1 : 1));
      body.append(...sorted.map(row => row.element));
    });
    return head;
  });
  const caption = `Layers of ${data.runs.length > 1 ? run.name : 'the plan'}: ${run.chosen}`;
  byId('layer-table').replaceChildren(el('div', {class: 'scroll tall', role: 'region', tabindex: '0', 'aria-label': caption},
      el('table', {class: 'sortable'}, el('caption', {}, caption), el('thead', {}, el('tr', {}, heads)), body)));
  return rows;
}

function layerChart(run, rows) {
  const key = run.time ? 'took' : 'profiled';
  const box = byId('layer-chart');
  box.replaceChildren();
  if (!rows.some(row => row[key])) return;
  const canvas = el('div');
  chart(canvas, '15rem', `Milliseconds of each layer, ${key === 'took' ? 'as it ran' : 'by the profile'}; the same figures are in the table below`, {
    type: 'bar',
    data: {labels: rows.map(row => row.name),
           datasets: [{data: rows.map(row => row[key]), backgroundColor: rows.map(row => tint(row.processor)),
                       barPercentage: 0.92, categoryPercentage: 0.96, maxBarThickness: 56}]},
    options: {plugins: {legend: {display: false},
                        tooltip: {callbacks: {label: item => ` ${ms(item.raw)} on ${rows[item.dataIndex].on}`}}},
              scales: {x: {grid: {display: false, borderColor: GRID},
                           ticks: {color: INK, maxRotation: 60, autoSkipPadding: 12,
                                   callback: i => rows[i].name.length > 16 ? rows[i].name.slice(0, 15) + '…' : rows[i].name}},
                       y: axis('ms')}}});
  box.append(canvas, legend(tally(run.on).map(([p, n]) => [tint(p), `${data.processors[p]}, ${layers(n)}`])));
}

// What the profile and the losses say about places that the plan did not choose.
function everywhere() {
  const box = byId('layer-everywhere');
  if (!data.units.some(unit => unit.ms || unit.loss)) return;
  const used = data.processors.map((name, p) => p).filter(
      p => data.units.some(unit => (unit.ms && unit.ms[p] != null) || (unit.loss && unit.loss[p] != null)));
  if (!used.length) return;
  const build = () => table('Each layer on each processor: milliseconds by the profile and its own part of the loss',
      ['Layer', ...used.map(p => ({text: placed(p), num: true}))],
      data.units.map(unit => [named(unit.name), ...used.map(p => {
        const time = unit.ms ? unit.ms[p] : null, loss = unit.loss ? unit.loss[p] : null;
        return `${ms(time)}${loss === null || loss === undefined ? '' : ', ' + num(loss)}`;
      })]));
  const more = details('Each layer on every processor');
  // Made when it is asked for: the page opens sooner.
  more.addEventListener('toggle', () => more.children.length < 2 && more.append(build()));
  box.append(more);
}

function showLayers() {
  const show = run => layerChart(run, layerTable(run));
  const controls = byId('layer-controls');
  if (data.runs.length > 1) {
    const select = el('select', {id: 'layer-run'}, data.runs.map(run => el('option', {value: run.name}, run.name)));
    select.addEventListener('change', () => show(data.runs.find(run => run.name === select.value)));
    controls.append(el('label', {}, 'Plan ', select));
  }
  const find = el('input', {type: 'search', id: 'find', autocomplete: 'off'});
  find.addEventListener('input', () => {
    const text = find.value.trim().toLowerCase();
    for (const row of byId('layer-table').querySelectorAll('tbody tr'))
      row.hidden = text !== '' && !row.textContent.toLowerCase().includes(text);
  });
  controls.append(el('label', {}, 'Find ', find));
  show(data.runs[0]);
  const told = [];
  if (data.runs[0].loss || data.units.some(unit => unit.loss))
    told.push('Loss: how far the layer moves the output from the float network’s, in squared grey levels, on calibration pictures.');
  if (data.runs[0].moves) told.push('Elsewhere: the best other place for this layer alone, and what it would change in time and loss, hand-overs included.');
  if (data.runs[0].unpredicted) told.push('No predictions: ' + data.runs[0].unpredicted + '.');
  byId('layer-table').after(el('p', {class: 'quiet small'}, told.join(' ')));
  everywhere();
  return true;
}
