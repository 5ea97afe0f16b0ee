// The page's head, then each section; those without data go away.
function showHead() {
  const run = data.runs[0];
  byId('subject').append(named(data.picture ? data.picture.file : data.model.name));
  byId('summary').append(data.picture ? `enlarged ${data.enlarged[0] / data.size[0]} times by ` : 'plans for pictures of ' + data.size.join(' × ') + ', ',
                         named(data.picture ? data.model.name : `×${data.model.scale}`), ', ', named(run.chosen),
                         ...data.runs.slice(1).flatMap(other => [' against ', named(other.chosen)]));
  const key = (name, value, about) => byId('key').append(el('div', {}, el('dt', {}, name), el('dd', {}, value),
                                                         about ? el('dd', {class: 'quiet small'}, about) : null));
  if (data.enlarged) key('Size', data.enlarged.join(' × '), 'from ' + data.size.join(' × '));
  for (const one of data.runs) {
    const of = data.runs.length > 1 ? ` of ${one.name}` : '';
    if (one.time) key('Time' + of, ms(one.time.ms), one.deadline_ms ? `deadline ${ms(one.deadline_ms)}` :
                      one.time.n === 1 ? 'one run' : `${times(one.time.n)} measured, ± ${num(one.time.spread, 2)}`);
    else if (one.predicted_ms != null) key(`Time${of}, predicted`, ms(one.predicted_ms), 'by the profile');
    const [processor, most] = tally(one.on)[0];
    key('Layers' + of, most === one.on.length ? `all ${most}` : `${most} of ${one.on.length}`, placed(processor));
    if (one.predicted_msef != null) key(`Loss${of}, predicted`, num(one.predicted_msef), 'squared grey levels from float');
  }
  if (data.runs.length > 1) return finishHead();
  for (const scores of data.scores.slice(0, 2)) {
    const row = scores.rows.find(score => score.name.startsWith('psnr')), value = row && row.values[0];
    if (row) key(scoreName(row), value === 'equal' ? 'identical' : scoreText(row, value), scores.reference === 'f32' ? 'to the float network' : 'to the original');
  }
  finishHead();
}

function finishHead() {
  byId('notices').append(...data.notices.map(note));
  byId('made').textContent = `Made ${data.date.replace('T', ' ').replace('Z', ' UTC')} by fye ${data.here.build.split(' ')[0]}. This page has no connection to anything.`;
}

const SECTIONS = [['picture', 'Picture', showPicture], ['time', 'Time', showTime], ['layers', 'Layers', showLayers], ['book', 'Plans', showBook],
                  ['compare', 'A / B', showCompare], ['quality', 'Quality', showQuality], ['origin', 'Sources', showOrigin], ['absent', 'Missing', showAbsent]];

function main() {
  showHead();
  for (const [id, name, show] of SECTIONS) {
    if (show()) byId('toc').append(el('li', {}, el('a', {href: '#' + id}, name)));
    else byId(id).remove();
  }
  // On paper nothing can be opened.
  addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(box => { box.open = true; }));
  document.documentElement.dataset.ready = Math.round(performance.now());
}
main();
