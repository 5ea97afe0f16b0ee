// The account of a run: its rows add up to the picture's time.
const ROWS = [['moving', 'rows moved between bands'], ['around', 'around the network'],
              ['waiting', 'waiting'], ['rest', 'not attributed']];

function accountRows(run) {
  const time = run.time, byProcessor = new Map();
  time.units.forEach((value, i) => byProcessor.set(run.on[i], (byProcessor.get(run.on[i]) || 0) + (value || 0)));
  const rows = [...byProcessor].sort((a, b) => b[1] - a[1]).map(([processor, value]) => {
    const n = run.on.filter(p => p === processor).length;
    return {colour: tint(processor), name: named(data.processors[processor]), text: data.processors[processor],
            about: layers(n), value};
  });
  const handed = sum(time.hand_overs.map(hand => hand.ms));
  rows.push({colour: PARTS['hand-overs'], name: 'hand-overs', text: 'hand-overs',
             about: time.hand_overs.length === 1 ? '1 conversion' : `${time.hand_overs.length} conversions`, value: handed});
  for (const [key, name] of ROWS) rows.push({colour: PARTS[key], name, text: name, about: '', value: Math.abs(time[key]) < 1e-4 * time.ms ? 0 : time[key]});
  return rows;
}

function account(run) {
  const rows = accountRows(run), time = run.time;
  const bar = el('div', {class: 'bar', role: 'img',
                         'aria-label': rows.map(row => `${row.text} ${percent(row.value / time.ms)}`).join(', ')});
  for (const row of rows) {
    if (row.value <= 0) continue;
    const part = el('span', {title: `${row.text}: ${ms(row.value)}`});
    part.style.backgroundColor = row.colour;
    part.style.flexGrow = row.value;
    bar.append(part);
  }
  // Above a fifth, the times say more about other programs than about the plan.
  const busy = time.waiting > 0.2 * time.ms ?
      note(`The machine was busy: threads waited ${percent(time.waiting / time.ms)} of the time` +
           (run.load ? `, at a load of ${run.load} tasks` : '') + '. Make the page again when it is idle.') : null;
  const missed = run.deadline_ms && time.ms > run.deadline_ms;
  const runs = time.n === 1 ? 'one run' : `the median of ${time.n} runs, ${num(time.least)} to ${num(time.most)} ms`;
  return el('div', {class: 'account'},
            el('h3', {}, data.runs.length > 1 ? el('span', {class: 'letter'}, run.name) : null, ms(time.ms),
               el('span', {class: 'quiet'}, ` ${runs}`),
               run.deadline_ms ? el('span', {class: missed ? 'tag bad' : 'tag good'},
                                    missed ? `over the deadline of ${ms(run.deadline_ms)}` : `within ${ms(run.deadline_ms)}`) : null),
            busy, bar,
            table(data.runs.length > 1 ? `Time of ${run.name}, by part` : 'Time, by part',
                  ['Part', {text: 'ms', num: true}, {text: 'Share', num: true}],
                  [...rows.map(row => [[el('span', {class: 'placed'}, swatch(row.colour), row.name), ' ',
                                        el('span', {class: 'quiet small'}, row.about)],
                                       num(row.value), percent(row.value / time.ms)]),
                   ['all', num(time.ms), percent(sum(rows.map(row => row.value)) / time.ms)]]),
            time.hand_overs.length ? details('Each hand-over',
                table('Hand-overs: conversions of a tensor to another number format', ['Tensor', {text: 'ms', num: true}],
                      time.hand_overs.map(hand => [named(hand.tensor), num(hand.ms)]))) : null);
}

// A stream of pictures, one by one; few of them say nothing that the account doesn't.
function frames(run) {
  if (run.time.frames < 20) return;
  const stride = Math.ceil(run.time.frames / run.time.each.length);
  const box = el('div');
  byId('frames').append(el('h3', {}, `${run.time.frames} pictures, ${run.time.late} late`), box,
      details('The same as a table', table(stride > 1 ? `Slowest of each ${stride} pictures` : 'Time of each picture',
          ['Picture', {text: 'ms', num: true}], run.time.each.map((value, i) => [String(i * stride), num(value)]))));
  const points = run.time.each.map((y, i) => ({x: i * stride, y}));
  const datasets = [{data: points, borderColor: FORMATS.f32, borderWidth: 1.5, pointRadius: 0, label: 'ms'}];
  if (run.deadline_ms && run.deadline_ms < 10 * run.time.most)
    datasets.push({data: [points[0], points[points.length - 1]].map(p => ({x: p.x, y: run.deadline_ms})), label: 'deadline',
                   borderColor: PARTS.rest, borderDash: [6, 4], borderWidth: 1.5, pointRadius: 0});
  chart(box, '14rem', 'Time of each picture; the same figures are in the table below', {
    type: 'line', data: {datasets},
    options: {parsing: false, plugins: {legend: {display: false}},
              scales: {x: axis('picture', {type: 'linear'}), y: axis('ms')}}});
}

function showTime() {
  const timed = data.runs.filter(run => run.time);
  byId('accounts').append(...timed.map(account));
  timed.forEach(frames);
  return timed.length > 0;
}
