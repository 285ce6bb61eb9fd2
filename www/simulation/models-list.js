/**
 * The list of models with their licences, from the manifest of the converted files. Page only.
 */

/** @param {HTMLElement} list */
export async function showModels(list) {
  const response = await fetch(new URL('models/manifest.json', document.baseURI));
  if (!response.ok) {
    list.textContent = 'The models are missing: npm run models makes them.';
    return;
  }
  /** @type {{models: import('./plan.js').ModelEntry[]}} */
  const { models } = await response.json();
  list.replaceChildren(
    ...models.map((model) => {
      const item = document.createElement('li');
      const title = document.createElement('b');
      title.textContent = model.title;
      item.append(
        title,
        `, ${model.triangles.toLocaleString('en')} triangles, from npm package ${model.package} ` +
          `${model.version}. ${model.licence}. ${model.credit}.`,
      );
      return item;
    }),
  );
}
