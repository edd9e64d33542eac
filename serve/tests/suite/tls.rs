//! https, if it is built in (`cargo test -p sx-serve --features tls tls`): with a certificate made by
//! openssl, asked by curl.

#[cfg(feature = "tls")]
use crate::support::{Server, app};
use std::path::Path;
#[cfg(feature = "tls")]
use std::process::Command;
#[cfg(feature = "tls")]
use sx_serve::App;
use sx_serve::Tls;

#[test]
#[cfg(feature = "tls")]
fn a_server_with_certificates_speaks_https() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (certificate, key) = (folder.join("tls.pem"), folder.join("tls.key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args([Path::new("-keyout"), &key, Path::new("-out"), &certificate])
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let server = Server::of(App {
        tls: Some(Tls::read(&certificate, &key).expect("certificates")),
        ..app(r#"(http-listen 0 (fn (request) {:body (str (get request "scheme") " " (get request "path"))}))"#)
    });
    let url = format!("https://localhost:{}/a", server.address.port());
    let asked = Command::new("curl")
        .args(["-s", "-4", "--cacert"])
        .arg(&certificate)
        .arg(url)
        .output()
        .expect("curl runs");
    assert_eq!(String::from_utf8_lossy(&asked.stdout), "https /a");
    // What is no greeting gets no answer, and the server goes on.
    assert_eq!(
        server.raw(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").find("HTTP/1.1 200"),
        None
    );
}

#[test]
#[cfg(not(feature = "tls"))]
fn without_the_feature_certificates_are_an_error() {
    let error = Tls::read(Path::new("a"), Path::new("b")).err();
    assert_eq!(error.as_deref(), Some("TLS needs a build with the feature tls"));
}
