// The routes of benches/serving in Node: pages by hand, keys in SQLite (better-sqlite3) if it is
// installed. PORT and DB say where.
const http = require('http');

let read = null;
try {
  const Database = require('better-sqlite3');
  const db = new Database(`${process.env.DB}/node.sqlite`);
  db.pragma('journal_mode = wal');
  db.exec('create table if not exists kv (k text primary key, v text) without rowid');
  const put = db.prepare('insert or replace into kv values (?, ?)');
  db.transaction(() => {
    for (let i = 0; i < 1000; i++) put.run(`k${i}`, `value number ${i} with some payload text`);
  })();
  read = db.prepare('select v from kv where k = ?');
} catch (error) {
  if (error.code !== 'MODULE_NOT_FOUND') throw error;
}

const items = [];
for (let i = 0; i < 50; i++) items.push({ id: i, title: `Post <${i}> & friends`, author: `author${i % 7}` });
const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text) => text.replace(/[&<>"]/g, (c) => entities[c]);

function list() {
  let out = '<!DOCTYPE html><html><head><title>Posts</title></head><body><h1>Posts</h1><ul>';
  for (const item of items) {
    out += `<li><a href="/post/${item.id}">${escape(item.title)}</a> by <em>${escape(item.author)}</em></li>`;
  }
  return out + '</ul></body></html>';
}

function answer(response, type, text) {
  response.setHeader('content-type', type);
  response.end(text);
}

http.createServer((request, response) => {
  const url = request.url;
  if (url === '/') answer(response, 'text/plain', 'Hello, World!');
  else if (url === '/list') answer(response, 'text/html; charset=utf-8', list());
  else if (url.startsWith('/kv/') && read) answer(response, 'text/plain', read.get(url.slice(4))?.v ?? '');
  else if (url === '/wait') setTimeout(() => answer(response, 'text/plain', 'done'), 5000);
  else { response.statusCode = 404; response.end(); }
}).listen(+process.env.PORT, '127.0.0.1');
