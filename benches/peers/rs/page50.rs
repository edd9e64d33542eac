//! A page of fifty items, each with an address, a title and an author that need escaping, written
//! by hand into one string, as a handler would that uses no templates. `N`, how often ten thousand
//! of them are made, stands at the end of the program.

use std::fmt::Write;

struct Post {
    id: u32,
    title: String,
    author: String,
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

#[inline(never)]
fn page(posts: &[Post]) -> String {
    let mut out = String::with_capacity(8192);
    out.push_str("<!DOCTYPE html><html><head><title>Posts</title></head><body><h1>Posts</h1><ul>");
    for post in posts {
        let _ = write!(out, "<li><a href=\"/post/{}\">", post.id);
        escape(&mut out, &post.title);
        out.push_str("</a> by <em>");
        escape(&mut out, &post.author);
        out.push_str("</em></li>");
    }
    out.push_str("</ul></body></html>");
    out
}

fn main() {
    let post = |id| Post { id, title: format!("Post <{id}> & friends"), author: format!("author{}", id % 7) };
    let posts: Vec<Post> = (0..50).map(post).collect();
    let mut sum = 0;
    for _ in 0..N {
        sum = (0..10000).map(|_| std::hint::black_box(page(&posts)).len()).sum();
    }
    println!("{sum}");
}
