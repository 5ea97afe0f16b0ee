// Two pictures, one over the other, and a seam that a range input moves.
function showPicture() {
  const shots = [...document.querySelectorAll('.shot')];
  if (shots.length < 2) return false;
  const stage = byId('stage'), cut = byId('cut'), left = byId('left'), right = byId('right');
  const names = shots.map(shot => shot.dataset.name);
  for (const select of [left, right]) select.append(...names.map(name => el('option', {value: name}, name)));
  left.value = names.includes('A') && names.includes('B') ? 'A' : names[0];
  right.value = names.includes('B') ? 'B' : names[1];

  const [width, height] = ['width', 'height'].map(side => Math.max(...shots.map(shot => Number(shot.getAttribute(side)))));
  stage.style.setProperty('--ratio', `${width} / ${height}`);
  stage.style.setProperty('--natural', width + 'px');

  function choose() {
    for (const shot of shots) {
      shot.classList.toggle('over', shot.dataset.name === left.value);
      shot.hidden = shot.dataset.name !== left.value && shot.dataset.name !== right.value;
    }
    byId('left-side').textContent = left.value;
    byId('right-side').textContent = right.value;
    move();
  }
  function move() {
    stage.style.setProperty('--cut', cut.value + '%');
    cut.setAttribute('aria-valuetext', `${cut.value} % ${left.value}, ${100 - cut.value} % ${right.value}`);
  }
  function drag(event) {
    const box = stage.getBoundingClientRect();
    cut.value = 100 * (event.clientX - box.left) / box.width;
    move();
  }
  cut.addEventListener('input', move);
  left.addEventListener('change', choose);
  right.addEventListener('change', choose);
  byId('grain').addEventListener('change', event => stage.classList.toggle('grain', event.target.checked));
  byId('full').addEventListener('change', event => {
    const viewport = byId('viewport');
    viewport.classList.toggle('full', event.target.checked);
    // What scrolls can be reached by keyboard.
    if (event.target.checked) viewport.tabIndex = 0;
    else viewport.removeAttribute('tabindex');
  });
  stage.addEventListener('pointerdown', event => {
    stage.setPointerCapture(event.pointerId);
    drag(event);
  });
  stage.addEventListener('pointermove', event => {
    if (stage.hasPointerCapture(event.pointerId)) drag(event);
  });
  choose();
  return true;
}
