/* Points of figures show their numbers under a pointer, or by the keyboard. */

const tip = make("div", { className: "tip", hidden: true, role: "status" });

let shown = null; // the point whose numbers the tip has

function placeTip() {
  const at = shown.getBoundingClientRect();
  const left = Math.min(
    Math.max(8, at.left + at.width / 2 - tip.offsetWidth / 2),
    document.documentElement.clientWidth - tip.offsetWidth - 8,
  );
  const above = at.top - tip.offsetHeight - 6;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 4 ? above : at.bottom + 6}px`;
}

/* While it is shown: a page scrolls, and its parts get their heights as they come into view. */
function keepPlace() {
  if (!shown) return;
  placeTip();
  requestAnimationFrame(keepPlace);
}

function showTip(point) {
  const first = !shown;
  shown = point;
  tip.textContent = point.dataset.text;
  tip.hidden = false;
  if (first) keepPlace();
  else placeTip();
  all(".point", point.parentElement).forEach((other) =>
    other.classList.toggle("same", other.dataset.arm === point.dataset.arm),
  );
}

function hideTip() {
  shown = null;
  tip.hidden = true;
  all(".point.same").forEach((other) => other.classList.remove("same"));
}

function enliven(plot) {
  const points = all(".point", plot);
  points.forEach((point) => {
    point.dataset.text = point.title;
    point.setAttribute("aria-label", point.title);
    point.setAttribute("role", point.dataset.row ? "button" : "img");
    point.removeAttribute("title");
    point.addEventListener("pointerenter", () => showTip(point));
    point.addEventListener("pointerleave", hideTip);
    point.addEventListener("focus", () => showTip(point));
    point.addEventListener("blur", hideTip);
    point.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hideTip();
      if (["Enter", " "].includes(event.key) && point.dataset.row) point.click();
    });
    if (point.dataset.row) point.addEventListener("click", () => follow(Number(point.dataset.row)));
  });
  roving([points]);
}
