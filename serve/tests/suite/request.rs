//! Programs that ask other servers.

use crate::support::{Server, app};
use sx_serve::App;

/// What others answer: pieces, redirects, a long body, none at all.
const OTHER: &str = r#"
(define (handler request)
  (case (get request "path")
    ("/echo" {:status 201 :headers {"x-a" "1"}
              :body (str (get request "method") " " (get request "body") " " (get (get request "headers") "x-b")
                         " " (get (get request "headers") "authorization"))})
    ("/hop" {:status 302 :headers {"location" "/echo"}})
    ("/away" {:status 302 :headers {"location" (str "http://localhost:" (slice (get (get request "headers") "host") 10) "/echo")}})
    ("/round" {:status 302 :headers {"location" "/round"}})
    ("/inside" {:status 302 :headers {"location" "http://[::1]:1/"}})
    ("/long" {:body (repeat "x" 100000)})
    ("/pieces" {:body (fn (write) (for-each write (list "a" "b" "c")))})
    ("/bytes" {:body (bytevector 255 0)})
    ("/slow" (do (perform (list "sleep" 5000)) {:body "late"}))
    (else {:status 404})))
(http-listen 0 handler {:concurrent true})"#;

/// A program that calls what the path says.
fn asking(calls: &[String]) -> Server {
    let calls: String = calls.iter().map(|code| format!("(fn () {code})\n")).collect();
    let program = format!(
        r#"(define calls (list {calls}))
           (http-listen 0 (fn (request)
             (let ((call (nth calls (parse-int (slice (get request "path") 1)))))
               {{:body (inspect (guard (e (true (error-message e))) (call)))}}))
             {{:concurrent true}})"#
    );
    Server::of(App {
        reachable: "127.0.0.0/8".parse().expect("a network"),
        ..app(&program)
    })
}

#[test]
fn a_program_asks_another_server() {
    let other = Server::start(OTHER);
    let base = format!("http://{}", other.address);
    let body =
        |path: &str, options: &str| format!("(get (perform (list \"http/request\" \"{base}{path}\" {options})) :body)");
    let status = |path: &str, options: &str| {
        format!("(get (perform (list \"http/request\" \"{base}{path}\" {options})) :status)")
    };
    let whole = format!(
        "(let ((r (perform (list \"http/request\" \"{base}/hop\" {{:headers {{\"authorization\" \"me\"}}}})))) \
         (list (get r :status) (get r :url) (get (get r :headers) \"x-a\") (get r :body)))"
    );
    let cases = [
        (
            body("/echo", "{:method \"POST\" :body \"hi\" :headers {\"x-b\" \"2\"}}"),
            "\"POST hi 2 \"".to_owned(),
        ),
        (whole, format!("(201 \"{base}/echo\" \"1\" \"GET   me\")")),
        (body("/pieces", ""), "\"abc\"".to_owned()),
        (body("/bytes", ""), "#u8(255 0)".to_owned()),
        // Credentials are not carried to another server.
        (
            body("/away", "{:headers {\"authorization\" \"me\"}}"),
            "\"GET   \"".to_owned(),
        ),
        (status("/hop", "{:redirects 0}"), "302".to_owned()),
        (status("/round", ""), "302".to_owned()),
        (
            body("/long", "{:max-bytes 1000}"),
            "\"http/request: the answer has more than 1000 bytes\"".to_owned(),
        ),
        (
            body("/slow", "{:timeout-ms 100}"),
            "\"http/request: no answer within 100 ms\"".to_owned(),
        ),
        (
            body("/inside", ""),
            "\"http/request: [::1] is ::1, which is not public; SX_HTTP_REACHABLE may allow it\"".to_owned(),
        ),
    ];
    let asking = asking(&cases.clone().map(|(code, _)| code));
    for (index, (code, wanted)) in cases.iter().enumerate() {
        assert_eq!(asking.get(&format!("/{index}")).body, *wanted, "{code}");
    }
}
