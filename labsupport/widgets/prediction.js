/* Predictions (labsupport/widgets/prediction.py): a field for each question, kept in this browser
   only, and shown again beside what was measured. Without this script the questions are plain text.
   Plain script, no module: it must also run on pages opened from a disk. */
(function () {
  "use strict";

  var page = location.pathname.split("/").pop();

  function place(key) { return "prediction:" + page + ":" + key; }

  // A browser that keeps nothing still has the fields; what is written lasts as long as the page.
  var memory = {};
  function read(key) {
    try { return localStorage.getItem(place(key)) || ""; } catch (error) { return memory[key] || ""; }
  }
  function write(key, text) {
    try {
      if (text) localStorage.setItem(place(key), text); else localStorage.removeItem(place(key));
    } catch (error) { memory[key] = text; }
  }

  function showAnswers() {
    document.querySelectorAll(".prediction-beside tr[data-key]").forEach(function (row) {
      var said = read(row.dataset.key);
      row.cells[1].textContent = said || "nothing yet";
      row.cells[1].classList.toggle("prediction-none", !said);
    });
  }

  function enhance(box) {
    var fields = Array.from(box.querySelectorAll("li[data-key]")).map(function (item) {
      var label = document.createElement("label");
      var field = document.createElement("input");
      field.type = "text";
      field.autocomplete = "off";
      field.maxLength = 60;
      field.placeholder = " "; // an empty field is not printed
      field.value = read(item.dataset.key);
      field.addEventListener("input", function () {
        write(item.dataset.key, field.value.trim());
        showAnswers();
      });
      // The book turns a page at an arrow key, and searches at others.
      field.addEventListener("keydown", function (event) { event.stopPropagation(); });
      label.append(item.firstChild, field);
      item.replaceChildren(label);
      return field;
    });
    var forget = document.createElement("button");
    forget.type = "button";
    forget.textContent = "Forget what I wrote";
    forget.addEventListener("click", function () {
      box.querySelectorAll("li[data-key]").forEach(function (item) { write(item.dataset.key, ""); });
      fields.forEach(function (field) { field.value = ""; });
      showAnswers();
      fields[0].focus();
    });
    var note = document.createElement("p");
    note.textContent = "It stays in this browser, and stands beside what was measured at the end.";
    box.append(note, forget);
    box.classList.add("prediction-on");
  }

  function start() {
    document.querySelectorAll(".prediction:not(.prediction-on)").forEach(enhance);
    showAnswers();
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
