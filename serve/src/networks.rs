//! Sets of addresses, as people write them down.

use std::net::IpAddr;
use std::str::FromStr;

/// Addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

/// `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`, with commas or spaces between them.
impl FromStr for Networks {
    type Err = String;
    fn from_str(text: &str) -> Result<Networks, String> {
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        words.map(Network::from_str).collect::<Result<_, _>>().map(Networks)
    }
}

impl FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("expected addresses like 10.0.0.1 or networks like 10.0.0.0/8, got `{text}`");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return Err(wrong());
        }
        Ok(Network { address, bits })
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = u32::from(network) ^ u32::from(address);
                differing.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = u128::from(network) ^ u128::from(address);
                differing.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl Networks {
    /// Is an address in one of them?
    pub fn contains(&self, address: IpAddr) -> bool {
        // A socket that takes both kinds shows those of the older one in the newer form.
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_end_at_their_bits() {
        for (networks, address, inside) in [
            ("172.16.0.0/12", "172.31.255.255", true),
            ("172.16.0.0/12", "172.32.0.0", false),
            ("172.16.0.0/12", "::1", false),
            ("172.16.0.0/12", "::ffff:172.16.0.1", true),
            ("10.0.0.1 ::1", "::1", true),
            ("0.0.0.0/0", "9.9.9.9", true),
            ("", "9.9.9.9", false),
        ] {
            let set: Networks = networks.parse().expect(networks);
            assert_eq!(
                set.contains(address.parse().expect("an address")),
                inside,
                "{networks} {address}"
            );
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["10.0.0.0/33", "::/129", "localhost", "10.0.0.1/x", "10.0.0"] {
            let error = Networks::from_str(wrong).expect_err(wrong);
            assert!(error.ends_with(&format!("got `{wrong}`")), "{error}");
        }
    }
}
