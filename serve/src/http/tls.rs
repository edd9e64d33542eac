//! TLS of the server: certificates, and the greeting before HTTP. Needs the feature `tls`; without it
//! asking for certificates is an error that says so.

use std::path::Path;
use tokio::net::TcpStream;

#[cfg(feature = "tls")]
pub use with::{Secure, Tls};
#[cfg(not(feature = "tls"))]
pub use without::{Secure, Tls};

impl Tls {
    /// Reads a chain of certificates and a key, both PEM.
    pub fn read(certificates: &Path, key: &Path) -> Result<Tls, String> {
        Tls::of_files(certificates, key)
    }

    /// Greets a client.
    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<Secure> {
        self.greet(stream).await
    }
}

#[cfg(feature = "tls")]
mod with {
    use std::path::Path;
    use std::sync::Arc;
    use tokio::net::TcpStream;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    /// A connection that is encrypted.
    pub type Secure = tokio_rustls::server::TlsStream<TcpStream>;

    /// Who the server says it is.
    #[derive(Clone)]
    pub struct Tls(TlsAcceptor);

    impl Tls {
        pub(super) fn of_files(certificates: &Path, key: &Path) -> Result<Tls, String> {
            let about = |path: &Path, error: String| format!("{}: {error}", path.display());
            let chain = CertificateDer::pem_file_iter(certificates)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| about(certificates, error.to_string()))?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| about(key, error.to_string()))?;
            let config = ServerConfig::builder()
                .with_no_client_auth()
                .with_single_cert(chain, private)
                .map_err(|error| about(certificates, error.to_string()))?;
            Ok(Tls(TlsAcceptor::from(Arc::new(config))))
        }

        pub(super) async fn greet(&self, stream: TcpStream) -> std::io::Result<Secure> {
            self.0.accept(stream).await
        }
    }
}

#[cfg(not(feature = "tls"))]
mod without {
    use std::path::Path;
    use tokio::net::TcpStream;

    /// There is no other connection than a plain one.
    pub type Secure = TcpStream;

    /// Cannot be made.
    #[derive(Clone)]
    pub struct Tls(std::convert::Infallible);

    impl Tls {
        pub(super) fn of_files(_: &Path, _: &Path) -> Result<Tls, String> {
            Err("TLS needs a build with the feature tls".to_owned())
        }

        pub(super) async fn greet(&self, _: TcpStream) -> std::io::Result<Secure> {
            match self.0 {}
        }
    }
}
