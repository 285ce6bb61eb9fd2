/**
 * Shows the source of a demo page, file by file, as it is in the repository.
 *
 * Query parameters: page=NAME of the page, file=PATH below www/.
 */
import { byId } from '../shared/page.js';

const files = import.meta.glob(['../*.html', '../*/*.js', '../*/*/*.js', '!../public/**'], {
  query: '?raw',
  import: 'default',
});
const query = new URLSearchParams(location.search);
const room = query.get('page') ?? 'simulation';

const paths = Object.keys(files).map((path) => path.replace('../', ''));
const ofPage = paths.filter((path) => path.startsWith(`${room}/`) || path === `${room}.html`);
const shared = paths.filter((path) => path.startsWith('shared/'));

/** @param {string} path */
function link(path) {
  const made = document.createElement('a');
  made.href = `?${new URLSearchParams({ page: room, file: path })}`;
  made.textContent = path;
  if (path === file) made.setAttribute('aria-current', 'page');
  return made;
}

const wanted = query.get('file') ?? `${room}/main.js`;
const file = paths.includes(wanted) ? wanted : '';
byId('lead').textContent = `Source of ${room}.html`;
byId('page-link').href = `${ofPage.length > 0 ? room : 'index'}.html`;
byId('files').append(...[...ofPage, ...shared].map(link));
if (file) {
  byId('file-title').textContent = `www/${file}`;
  byId('code').textContent = await files[`../${file}`]();
} else {
  byId('file-title').textContent = 'There is no such file';
}
