// Machine, files, dates: what each figure on the page was measured on.
const machineText = machine => machine ? `${machine.cpu}, ${machine.isa}, ${machine.threads} thread${machine.threads === 1 ? '' : 's'}, fye ${machine.build}` : 'not said';

function showOrigin() {
  const body = byId('origin-body');
  const fact = (name, ...value) => [el('dt', {}, name), el('dd', {}, ...value)];
  body.append(el('dl', {class: 'facts wide'},
      data.picture ? fact('Picture', named(data.picture.file), `, ${data.size.join(' × ')} pixels, ${data.picture.channels} channels of ${data.picture.bits} bit`) :
                     fact('Size', `${data.size.join(' × ')} pixels`),
      fact('Network', named(data.model.name), `, ×${data.model.scale}, ${layers(data.model.units)}, ${count(data.model.macs)} multiply-accumulates a picture`),
      fact('sha256', el('code', {}, data.model.sha256)),
      fact('Page made on', machineText(data.here))));
  if (data.sources.length) body.append(table('Sources of the figures',
      ['Figures', 'From', 'How', 'n', 'Input', 'Machine', 'Date'],
      data.sources.map(source => [source.what, [named(source.from), ...(source.notes || []).map(text => el('span', {class: 'mark'}, text))],
                                  source.kind, source.n, source.size || '–', source.what === 'losses' ? '–' : machineText(source.machine),
                                  source.date ? source.date.replace('T', ' ').replace('Z', ' UTC') + (source.load ? `, load ${source.load}` : '') : '–']), {class: 'roomy'}));
  if (data.left_out.length) body.append(note(`Left out to keep the page small: ${data.left_out.join('; ')}.`));
  return true;
}

const PARTS_OF_PAGE = {picture: 'Before and after', time: 'Where the time went', profile: 'Times of every layer', losses: 'Losses of every layer',
                       book: 'Plan book', compare: 'A against B', original: 'Scores against an original'};
function showAbsent() {
  if (!data.absent.length) return false;
  byId('absent-body').append(table('What is missing, and the command that would fill it', ['Part', 'Why', 'Command'],
      data.absent.map(absent => [PARTS_OF_PAGE[absent.part] || absent.part, absent.why, el('code', {}, absent.command)])));
  return true;
}
