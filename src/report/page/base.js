'use strict';
// What every part of the page uses. The data is one JSON island, made by report_data() (src/report/report.h):
//   processors: names; every index of a processor below points here
//   units: columns in the network's order: name, macs, ops (an index into kinds); by processor ms, spread, loss
//   runs: [{name, chosen, on: processor by unit, time: {ms, units, hand_overs, ...}, loss, moves: {to, ms, loss}, predicted_ms, ...}]
//   book: {plans, own, points: [{ms, msef, measured_ms, ..., on: [count, processor, ...]}]}
//   scores: [{title, columns, rows: [{name, values}]}], sources, absent, notices: what they are called
// Texts in it may be anything: they reach the page as text nodes alone.
const data = JSON.parse(document.getElementById('data').textContent);
// Units as a list, each with what is known of it by processor.
const ofUnit = (columns, i) => columns && columns.map(column => column && column[i]);
data.units = data.units.name.map((name, i, all, units = data.units) => ({
  name, ops: units.kinds[units.ops[i]], macs: units.macs[i],
  ms: ofUnit(units.ms, i), spread: ofUnit(units.spread, i), loss: ofUnit(units.loss, i),
}));

const byId = id => document.getElementById(id);

// el('p', {class: 'quiet'}, 'text', node, ...): an element with attributes and children.
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  node.append(...children.flat().filter(child => child !== null && child !== undefined));
  return node;
}

// A name from a file: its direction of writing stays inside it.
const named = text => el('bdi', {}, text);

// Numbers as people read them: three figures, a dash for what is not known.
function num(value, digits = 3) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';
  if (value < 0) return '−' + num(-value, digits);
  const size = value;
  if (size < 1e-4) return value.toExponential(digits - 1).replace('e-', ' × 10⁻').replace(/⁻(\d+)/, (all, n) => '⁻' + [...n].map(d => '⁰¹²³⁴⁵⁶⁷⁸⁹'[d]).join(''));
  if (size >= 10 ** digits) return Math.round(value).toLocaleString('en');
  return value.toPrecision(digits);
}
const signed = (value, digits = 3) =>
    value === null || value === undefined ? '–' : (value > 0 ? '+' : value < 0 ? '−' : '') + num(Math.abs(value), digits);
const ms = value => value === null || value === undefined ? '–' : num(value) + ' ms';
const percent = share => (100 * share).toFixed(share < 0.0995 ? 1 : 0) + ' %';
function count(value) {
  for (const [size, letter] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']])
    if (value >= size) return num(value / size) + ' ' + letter;
  return String(value);
}
const times = n => n === 1 ? '1 time' : n + ' times';
const layers = n => n === 1 ? '1 layer' : n + ' layers';
const sum = values => values.reduce((all, value) => all + (value || 0), 0);

// Colours that stand out on white and on black; always beside a word.
const FORMATS = {f32: '#2f7de1', bf16: '#8e5bd0', int8: '#cc6d00', int8r16: '#12897b', null: '#7b8494'};
const OTHERS = ['#b04a4a', '#5f8f2e', '#9a7b4f', '#4a6fb0'];
const PARTS = {'hand-overs': '#c2378f', moving: '#9a7b4f', around: '#5f8f2e', waiting: '#7b8494', rest: '#b04a4a'};
function tint(processor) {
  const name = data.processors[processor];
  const format = name.slice(name.lastIndexOf('.') + 1).split('@')[0];
  return Object.hasOwn(FORMATS, format) ? FORMATS[format] : OTHERS[processor % OTHERS.length];
}
function swatch(colour) {
  const node = el('span', {class: 'swatch', 'aria-hidden': 'true'});
  node.style.backgroundColor = colour;
  return node;
}
const placed = processor => el('span', {class: 'placed'}, swatch(tint(processor)), named(data.processors[processor]));

// A table with a caption; head: [text or {text, num, sort}], rows: lists of cells, the first of which names the row.
function table(caption, head, rows, attributes) {
  const numeric = head.map(cell => cell.num ? 'num' : null);
  return el('div', {class: 'scroll', role: 'region', tabindex: '0', 'aria-label': caption},
            el('table', attributes || {}, el('caption', {}, caption),
               el('thead', {}, el('tr', {}, head.map((cell, i) =>
                 el('th', {scope: 'col', class: numeric[i]}, cell.text === undefined ? cell : cell.text)))),
               el('tbody', {}, rows.map(row => el('tr', {}, row.map((cell, i) =>
                 i === 0 ? el('th', {scope: 'row'}, cell) : el('td', {class: numeric[i]}, cell)))))));
}

const details = (summary, ...children) => el('details', {}, el('summary', {}, summary), ...children);
const note = text => el('p', {class: 'note'}, text);

// How many layers run on which processor: [[processor, layers], ...], most first.
function tally(on) {
  const counts = new Map();
  for (const processor of on) counts.set(processor, (counts.get(processor) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
const tallyText = on => tally(on).map(([p, n]) => `${n} on ${data.processors[p]}`).join(', ');

// The layers of a plan as one strip, and in words.
function strip(on) {
  const node = el('div', {class: 'strip', role: 'img', 'aria-label': 'Layers in order: ' + tallyText(on)});
  for (const processor of on) {
    const cell = el('span');
    cell.style.backgroundColor = tint(processor);
    node.append(cell);
  }
  return node;
}

// [first, last, processor] of neighbours on one processor.
function stretches(on) {
  const found = [];
  on.forEach((processor, i) => {
    if (found.length && found[found.length - 1][2] === processor) found[found.length - 1][1] = i;
    else found.push([i, i, processor]);
  });
  return found;
}
const stretchName = ([first, last]) => first === last ? named(data.units[first].name) :
    el('span', {}, named(data.units[first].name), ' to ', named(data.units[last].name));

// A chart of Chart.js in a box of its own; `told` says what it shows and where the same figures stand as text.
const GRID = 'rgba(128, 136, 150, 0.25)', INK = '#7a828e';
Object.assign(Chart.defaults, {animation: false, responsive: true, maintainAspectRatio: false, color: INK});
Object.assign(Chart.defaults.font, {family: 'system-ui, sans-serif', size: 12});
const axis = (title, more) => ({title: {display: true, text: title}, beginAtZero: true,
                               grid: {color: GRID, borderColor: GRID}, ticks: {color: INK}, ...more});
function chart(box, height, told, config) {
  const canvas = el('canvas', {role: 'img', 'aria-label': told});
  const frame = el('div', {class: 'chart'}, canvas);
  frame.style.height = height;
  box.replaceChildren(frame);
  return new Chart(canvas, config);
}
const legend = entries => el('p', {class: 'legend', 'aria-hidden': 'true'},
                             entries.map(([colour, text]) => el('span', {}, swatch(colour), text)));
