// Two plans beside each other: what they take and lose, and the layers on which they differ.
function showCompare() {
  if (data.runs.length < 2) return false;
  const [a, b] = data.runs;
  const body = byId('compare-body');
  const facts = [];
  const add = (name, of, text = num) => {
    const [x, y] = [of(a), of(b)];
    if (x === null || x === undefined || y === null || y === undefined) return;
    facts.push([name, text(x), text(y), signed(y - x)]);
  };
  add('ms, measured', run => run.time && run.time.ms);
  add('ms, predicted', run => run.predicted_ms);
  add('loss, predicted', run => run.predicted_msef);
  add('ms of hand-overs', run => run.time && sum(run.time.hand_overs.map(hand => hand.ms)));
  add('ms of waiting', run => run.time && run.time.waiting);
  add('changes of processor', run => stretches(run.on).length - 1, String);
  for (const scores of data.scores)
    for (const row of scores.rows.filter(score => ['psnr_y', 'lpips_alex', 'piqe'].includes(score.name))) {
      const [x, y] = [a, b].map(run => row.values[scores.columns.indexOf(run.name)]);
      const against = !row.against ? '' : scores.reference === 'f32' ? ' to the float network' : ' to the original';
      facts.push([scoreName(row) + against, scoreText(row, x), scoreText(row, y),
                  typeof x === 'number' && typeof y === 'number' ? signed(y - x) : '–']);
    }
  body.append(el('div', {class: 'split even'}, ...[a, b].map(run => el('div', {class: 'card'},
                 el('h3', {}, el('span', {class: 'letter'}, run.name), named(run.chosen)), strip(run.on),
                 el('p', {class: 'legend'}, tally(run.on).map(([p, n]) => el('span', {}, placed(p), ` ${layers(n)}`)))))),
              table('What the two plans take and lose', ['Figure', {text: 'A', num: true}, {text: 'B', num: true}, {text: 'B − A', num: true}], facts));

  const spread = sum([a, b].map(run => run.time ? run.time.spread : 0));
  if (a.time && b.time)
    body.append(el('p', {class: 'quiet small'}, Math.abs(b.time.ms - a.time.ms) <= spread ?
        'The two times are no further apart than they scatter: neither is faster.' :
        'The plans ran in turns on one picture; the difference is larger than the scatter of their medians.'));
  const differing = data.units.map((unit, i) => i).filter(i => a.on[i] !== b.on[i]);
  const time = (run, i) => run.time ? run.time.units[i] : data.units[i].ms ? data.units[i].ms[run.on[i]] : null;
  const difference = (x, y) => x == null || y == null ? '–' : signed(y - x);
  body.append(differing.length === 0 ? note('The two plans place every layer alike.') :
      table(`Layers that the plans place differently: ${differing.length} of ${data.units.length}`,
            ['Layer', 'A', {text: 'ms', num: true}, {text: 'loss', num: true}, 'B', {text: 'ms', num: true}, {text: 'loss', num: true},
             {text: 'ms, B − A', num: true}, {text: 'loss, B − A', num: true}],
            differing.map(i => {
              const [ta, tb] = [time(a, i), time(b, i)];
              const [la, lb] = [a, b].map(run => run.loss ? run.loss[i] : null);
              return [named(data.units[i].name), placed(a.on[i]), num(ta), num(la), placed(b.on[i]), num(tb), num(lb),
                      difference(ta, tb), difference(la, lb)];
            })));
  return true;
}
