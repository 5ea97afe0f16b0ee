// The plan book as a curve: each point is a plan, which can be pointed at, stepped through by keyboard, and read below.
function showBook() {
  const book = data.book;
  if (!book) return false;
  const points = book.points.map(point => {
    const on = [];
    for (let i = 0; i < point.on.length; i += 2) on.push(...Array(point.on[i]).fill(point.on[i + 1]));
    return {...point, on, best: point.measured_ms ?? point.ms, lost: point.measured_msef ?? point.msef};
  });
  const own = new Map();  // entry -> names of the runs whose plan it is
  book.own.forEach((entry, r) => entry !== null && own.set(entry, [...(own.get(entry) || []), data.runs[r].name]));
  const measured = points.some(point => point.measured_ms != null);
  byId('book-lead').textContent = `${book.plans} plans from ${ms(points[0].best)} to ${ms(points[points.length - 1].best)}` +
      (points.length < book.plans ? `; ${points.length} of them are drawn` : '') +
      '. None is beaten by another in both time and loss.';

  let chosen = points.findIndex(point => own.has(point.entry));
  if (chosen < 0) chosen = 0;
  const slider = byId('plan'), card = byId('book-plan');
  slider.max = points.length - 1;

  const isChosen = context => context.dataIndex === chosen;
  const datasets = [{
    label: 'predicted', data: points.map(point => ({x: point.ms, y: point.msef})), showLine: true,
    borderColor: INK, borderWidth: 1, backgroundColor: measured ? 'transparent' : FORMATS.f32,
    pointBorderColor: context => isChosen(context) ? PARTS['hand-overs'] : measured ? INK : FORMATS.f32,
    pointRadius: context => isChosen(context) ? 8 : measured ? 3 : 4,
    pointBorderWidth: context => isChosen(context) ? 3 : 1,
    pointHoverRadius: 7, pointHitRadius: 8, order: 2,
  }];
  if (measured) datasets.push({
    label: 'measured', data: points.map(point => point.measured_ms != null ? {x: point.measured_ms, y: point.lost} : {x: NaN, y: NaN}),
    backgroundColor: FORMATS.f32, pointBorderColor: context => isChosen(context) ? PARTS['hand-overs'] : FORMATS.f32,
    pointRadius: context => isChosen(context) ? 8 : 4, pointBorderWidth: context => isChosen(context) ? 3 : 1,
    pointHoverRadius: 7, pointHitRadius: 8, order: 1,
  });
  const plot = chart(byId('book-chart'), '22rem',
      'Plans by time and loss; step through them with the slider below, or read them in the table', {
    type: 'scatter', data: {datasets},
    options: {
      onClick: (event, elements) => elements.length && choose(elements[0].index),
      onHover: (event, elements) => { event.native.target.classList.toggle('pointing', elements.length > 0); },
      plugins: {legend: {display: false},
                tooltip: {callbacks: {label: item => ` ${ms(item.raw.x)}, loss ${num(item.raw.y)}, ${tallyText(points[item.dataIndex].on)}`}}},
      scales: {x: axis('ms a picture', {beginAtZero: false, type: 'linear'}), y: axis('loss: squared grey levels from the float network')}}});
  byId('book-chart').append(legend([...(measured ? [[FORMATS.f32, 'measured'], [INK, 'predicted']] : [[FORMATS.f32, 'predicted']]),
                                    [PARTS['hand-overs'], 'chosen']]));

  const fact = (name, value) => [el('dt', {}, name), el('dd', {}, value)];
  function choose(index) {
    chosen = index;
    const point = points[index];
    slider.value = index;
    slider.setAttribute('aria-valuetext', `plan ${index + 1} of ${points.length}: ${ms(point.best)}, loss ${num(point.lost)}, ${tallyText(point.on)}`);
    const names = own.get(point.entry);
    card.replaceChildren(
        el('h3', {}, `Plan ${point.entry + 1} of ${book.plans}`, names ? el('span', {class: 'tag good'}, names.join(' and ')) : null),
        el('dl', {class: 'facts'}, fact('predicted', `${ms(point.ms)}, loss ${num(point.msef)}`),
           point.measured_ms != null ? fact('measured', ms(point.measured_ms)) : null,
           point.measured_msef != null ? fact('loss measured', num(point.measured_msef)) : null,
           point.lpf != null ? fact('LPIPS from float', num(point.lpf)) : null),
        strip(point.on),
        table('Which layers run where', ['Layers', 'On', {text: 'Number', num: true}],
              stretches(point.on).map(stretch => [stretchName(stretch), placed(stretch[2]), String(stretch[1] - stretch[0] + 1)])));
    plot.update();
  }
  slider.addEventListener('input', () => choose(Number(slider.value)));
  choose(chosen);

  byId('book-table').append(details('All plans as a table', table('Plans of the book',
      ['Plan', {text: 'ms, predicted', num: true}, {text: 'loss, predicted', num: true}, {text: 'ms, measured', num: true},
       {text: 'loss, measured', num: true}, {text: 'LPIPS from float', num: true}, 'Layers'],
      points.map(point => [String(point.entry + 1), num(point.ms), num(point.msef), num(point.measured_ms),
                           num(point.measured_msef), num(point.lpf), tallyText(point.on)]))));
  return true;
}
