/* What happens when the page has loaded. */

const whenNear = (element, act) =>
  new IntersectionObserver(
    (entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      act();
    },
    { rootMargin: "800px" },
  ).observe(element);

document.body.append(tip);
all("table.numbers").forEach((table) => {
  const act = () => {
    enhance(table);
    if (numbers) linkNumbers(table);
  };
  if (table.tBodies[0].rows.length > 200) whenNear(table, act);
  else act();
});
if (numbers) {
  const section = document.getElementById("numbers");
  all(".scripted").forEach((element) => (element.hidden = false));
  whenNear(section, openList);
  addEventListener("hashchange", openHash);
  openHash();
}
all(".plot").forEach(enliven);
