// Tables whose rows are chosen: one box chooses all of the page, and a count says how many are chosen.
export function countChosen(root) {
  for (const all of root.querySelectorAll("[data-choose-all]")) {
    const boxes = [...root.querySelectorAll(`input[type="checkbox"][name="${all.dataset.chooseAll}"]`)];
    const counts = root.querySelectorAll(`[data-chosen="${all.dataset.chooseAll}"]`);
    const tell = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      all.checked = boxes.length > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
      for (const count of counts) count.textContent = chosen ? count.dataset.says.replace("#", chosen) : "";
    };
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      tell();
    });
    for (const box of boxes) box.addEventListener("change", tell);
    all.closest("[hidden]")?.removeAttribute("hidden");
    tell();
  }
}
