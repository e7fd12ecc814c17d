/* A student's page while the submission is graded, and the jumps into the notebook's frame.
   Without this script the page refreshes itself and the links open the notebook alone. */
"use strict";

const AGAIN_MS = 5000;

function fields(root, name) {
  return root.querySelectorAll(`[data-field="${name}"]`);
}

function say(words) {
  const place = document.querySelector("[data-announce]");
  if (place && place.textContent !== words) place.textContent = words;
}

/* Progress */

function stepOf(progress) {
  if (progress.state === "queued") return "queued";
  return progress.cells ? "running" : "starting";
}

function showProgress(live, progress) {
  const step = stepOf(progress);
  for (const block of live.querySelectorAll("[data-when]")) {
    const when = block.dataset.when;
    if (when === "position") block.hidden = !progress.position;
    else if (when === "no-position") block.hidden = Boolean(progress.position);
    else block.hidden = when !== step;
  }
  for (const place of fields(live, "position")) place.textContent = progress.position ?? "";
  if (progress.cells) showCells(live, progress.cells);
  showStep(live, step === "queued" ? "queued" : "running");
  sayProgress(step, progress);
}

function showCells(live, cells) {
  for (const place of fields(live, "cell")) place.textContent = cells.current;
  for (const place of fields(live, "cells")) place.textContent = cells.total;
  for (const bar of fields(live, "progress")) {
    bar.max = cells.total;
    bar.value = cells.current;
  }
}

function showStep(live, current) {
  let before = true;
  for (const item of live.querySelectorAll("[data-step]")) {
    const now = item.dataset.step === current;
    if (now) before = false;
    item.classList.toggle("done", before);
    if (now) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
}

/* Cells go by too fast to be read out: only the place in the queue and the start are said. */
function sayProgress(step, progress) {
  if (step === "queued" && progress.position) say(`Number ${progress.position} in the queue.`);
  else if (step !== "queued") say("Your notebook is running.");
}

/* Parts that are judged while the notebook runs. The message is Markdown; until the server's own rendering
   comes with the whole feedback, code and emphasis are enough, and nothing in it ever becomes markup. */

const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/;

function plain(text) {
  return text.replace(/\\([!-/:-@[-`{-~])/g, "$1");
}

function inline(text) {
  return text.split(INLINE).filter(Boolean).map((piece) => {
    for (const [mark, tag] of [["`", "code"], ["**", "strong"], ["*", "em"]]) {
      if (piece.length > 2 * mark.length && piece.startsWith(mark) && piece.endsWith(mark)) {
        const element = document.createElement(tag);
        const inner = piece.slice(mark.length, -mark.length);
        element.textContent = tag === "code" ? inner : plain(inner);
        return element;
      }
    }
    return document.createTextNode(plain(piece));
  });
}

function paragraphs(text) {
  return text.split(/\n{2,}/).map((block) => {
    const paragraph = document.createElement("p");
    paragraph.append(...inline(block));
    return paragraph;
  });
}

function pointsOf(part) {
  if (!part.max_score) return "";
  const worth = `${part.max_score} ${part.bonus ? "bonus " : ""}${part.max_score === 1 ? "point" : "points"}`;
  return ["unjudged", "needs_review", "ungraded"].includes(part.status) ? worth : `${part.score} of ${worth}`;
}

function showPart({ provisional, part }) {
  const card = document.querySelector(`[data-part="${CSS.escape(part.id)}"]`);
  const badge = document.querySelector(`template[data-badge="${CSS.escape(part.status)}"]`);
  if (!card || !badge) return;
  card.className = `card toned part ${part.status}`;
  for (const place of fields(card, "badge")) place.replaceChildren(badge.content.cloneNode(true));
  for (const place of fields(card, "points")) place.textContent = pointsOf(part);
  for (const place of fields(card, "message")) {
    place.hidden = !part.message;
    place.replaceChildren(...paragraphs(part.message));
  }
  say(`${part.title}: ${badge.content.textContent.trim()}${provisional ? " so far" : ""}.`);
}

/* The end: the page as the server makes it now, in the place of what stood here. */

async function showFeedback() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-swap]");
  const stale = document.querySelector("[data-swap]");
  if (!fresh || fresh.querySelector("[data-live]")) throw new Error("there is no feedback yet");
  const held = stale.contains(document.activeElement);
  stale.replaceWith(document.adoptNode(fresh));
  if (held) document.getElementById("main").focus();
  const summary = fresh.querySelector("[data-summary]");
  const score = fresh.querySelector(".score");
  say(["Your feedback is here.", score, summary].map((e) => (e?.textContent ?? e ?? "").trim()).join(" "));
}

function again() {
  setTimeout(() => location.reload(), AGAIN_MS);
}

function follow(live) {
  const events = new EventSource(live.dataset.live);
  events.addEventListener("progress", (event) => showProgress(live, JSON.parse(event.data)));
  events.addEventListener("part", (event) => showPart(JSON.parse(event.data)));
  events.addEventListener("feedback", () => {
    events.close();
    showFeedback().catch(again);
  });
  /* A lost connection is taken up again by the browser itself; a refused one is not. */
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) again();
  });
}

/* Jumps: the frame goes to the cell, and the page to the frame. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-jump]");
  const frame = document.querySelector('iframe[name="notebook"]');
  if (!link || !frame || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  frame.loading = "eager";
  frame.src = link.href;
  frame.scrollIntoView({ block: "nearest" });
  frame.focus();
});

const live = document.querySelector("[data-live]");
if (live) follow(live);
