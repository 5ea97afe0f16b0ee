// Scores; what they need and which way is better stands beside each.
const SCORES = {psnr_y: 'PSNR, luma', psnr_rgb: 'PSNR, RGB', ssim_y: 'SSIM, luma', ssim_grey: 'SSIM, grey', ms_ssim: 'MS-SSIM',
                lpips_alex: 'LPIPS', piqe: 'PIQE', iqam_4: 'IQAM, 4 × 4', iqam_8: 'IQAM, 8 × 8', boundary_step_8: 'Steps at 8 × 8 blocks'};
const scoreName = row => Object.hasOwn(SCORES, row.name) ? SCORES[row.name] : row.name;

function scoreText(row, value) {
  if (value === 'equal') return 'identical';
  if (typeof value !== 'number') return '–';
  return num(value, 4) + (row.unit ? ' ' + row.unit : '');
}

function showQuality() {
  const body = byId('quality-body');
  for (const scores of data.scores) {
    if (!scores.rows.length) continue;
    body.append(table(scores.title + (scores.shave ? `, without ${scores.shave} pixels on each side` : ''),
        ['Score', 'Better', ...scores.columns.map(name => ({text: name, num: true}))],
        scores.rows.map(row => [scoreName(row), row.higher ? 'higher' : 'lower', ...row.values.map(value => scoreText(row, value))])));
    for (const missing of scores.missing)
      body.append(note(`${scoreName(missing)}: ${missing.why.replace(/\s+/g, ' ')}`));
  }
  if (body.children.length) body.append(el('p', {class: 'quiet small'},
      '“With noise” is the result with added noise of 3 grey levels: PIQE and LPIPS reward noise, so a smaller gain than that one shows nothing. ' +
      'Scores are of this one picture (n = 1).'));
  return body.children.length > 0;
}
