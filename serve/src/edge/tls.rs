//! TLS of the client: what `https` needs of rustls, if it is built in.

#[cfg(feature = "tls")]
pub(super) use with::connect;
#[cfg(not(feature = "tls"))]
pub(super) use without::connect;

#[cfg(feature = "tls")]
mod with {
    use std::io;
    use std::sync::{Arc, OnceLock};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    /// Greets a server and checks that it is who it says.
    pub async fn connect(host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let config = CONFIG.get_or_init(|| {
            let roots = RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            };
            let config = ClientConfig::builder().with_root_certificates(roots);
            Arc::new(config.with_no_client_auth())
        });
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(Arc::clone(config)).connect(name, stream).await
    }
}

#[cfg(not(feature = "tls"))]
mod without {
    use std::io;
    use tokio::net::TcpStream;

    /// Says that there is no TLS.
    pub async fn connect(_: &str, _: TcpStream) -> io::Result<TcpStream> {
        let message = "https needs a build with the feature tls";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}
