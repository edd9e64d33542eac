//! The routes of `benches/serving` in axum, pages by hand, keys in redb: the limit the others are
//! measured against. PORT and DB say where.

use axum::extract::{Path, State};
use axum::response::Html;
use axum::{Router, routing::get};
use redb::{Database, ReadableDatabase, TableDefinition};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

const TABLE: TableDefinition<&str, &str> = TableDefinition::new("kv");

struct Item {
    id: u32,
    title: String,
    author: String,
}

struct App {
    store: Database,
    items: Vec<Item>,
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

async fn hello() -> &'static str {
    "Hello, World!"
}

async fn list(State(app): State<Arc<App>>) -> Html<String> {
    let mut out = String::with_capacity(8192);
    out.push_str("<!DOCTYPE html><html><head><title>Posts</title></head><body><h1>Posts</h1><ul>");
    for item in &app.items {
        let _ = write!(out, "<li><a href=\"/post/{}\">", item.id);
        escape(&mut out, &item.title);
        out.push_str("</a> by <em>");
        escape(&mut out, &item.author);
        out.push_str("</em></li>");
    }
    out.push_str("</ul></body></html>");
    Html(out)
}

async fn kv(State(app): State<Arc<App>>, Path(key): Path<String>) -> String {
    let read = app.store.begin_read().expect("a transaction");
    let table = read.open_table(TABLE).expect("a table");
    let value = table.get(key.as_str()).expect("a read");
    value.map(|value| value.value().to_owned()).unwrap_or_default()
}

async fn put(State(app): State<Arc<App>>, Path(key): Path<String>) -> &'static str {
    let write = move || {
        let write = app.store.begin_write().expect("a transaction");
        write.open_table(TABLE).expect("a table").insert(key.as_str(), "written value").expect("a write");
        write.commit().expect("a commit");
    };
    tokio::task::spawn_blocking(write).await.expect("no panic");
    "ok"
}

async fn wait() -> &'static str {
    tokio::time::sleep(Duration::from_secs(5)).await;
    "done"
}

fn main() {
    let set = |name: &str| std::env::var(name).expect(name);
    let store = Database::create(format!("{}/axum.redb", set("DB"))).expect("a store");
    let write = store.begin_write().expect("a transaction");
    {
        let mut table = write.open_table(TABLE).expect("a table");
        for i in 0..1000 {
            let value = format!("value number {i} with some payload text");
            table.insert(format!("k{i}").as_str(), value.as_str()).expect("a write");
        }
    }
    write.commit().expect("a commit");
    let item = |id| Item { id, title: format!("Post <{id}> & friends"), author: format!("author{}", id % 7) };
    let app = Arc::new(App { store, items: (0..50).map(item).collect() });
    let routes = Router::new()
        .route("/", get(hello))
        .route("/list", get(list))
        .route("/kv/{key}", get(kv))
        .route("/put/{key}", get(put))
        .route("/wait", get(wait))
        .with_state(app);
    let port: u16 = set("PORT").parse().expect("a port");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        axum::serve(listener, routes).await.expect("serves");
    });
}
