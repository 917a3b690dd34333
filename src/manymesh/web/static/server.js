// Questions to the server. Each takes one mapping and answers with one.

export async function ask(name, data = {}) {
  const answer = await fetch(new URL(`page/${name}`, document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(data),
  });
  if (!answer.ok) throw Object.assign(new Error(`the server answered ${name} with ${answer.status}`), { status: answer.status });
  return answer.json();
}

/** Send a photo; answers with its address on the server. Throws a sentence for people. */
export async function upload(file) {
  const form = new FormData();
  form.append("files", file, file.name || "photo");
  let answer;
  try {
    answer = await fetch(new URL("gradio_api/upload", document.baseURI), { method: "POST", body: form });
  } catch {
    throw new Error("The server does not answer. Choose the photo again when it does.");
  }
  if (answer.status === 413) throw new Error("The file is larger than this server takes.");
  if (!answer.ok) throw new Error((await answer.text()) || `The server refused the file (${answer.status}).`);
  return (await answer.json())[0];
}
