//! Secrets: encryption under a key, and passwords kept as hashes.
//!
//! A sealed message is a random nonce of 24 bytes, then XChaCha20-Poly1305 under the SHA-256 digest
//! of the key. A kept password is a PHC string of Argon2id. Deliberately absent: any choice of
//! algorithm, and randomness from anywhere but the host.

use super::cx::host_error;
use super::digest::data;
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::value::Word;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

prims! { CRYPTO {
    /// A string or bytevector encrypted under a key, so that only who has the key can read it and a
    /// change to it is noticed. The same context, a string, has to be given to read it.
    "encrypt-bytes" (key: Any, message: Any, context: String optional) -> Bytes, Any, encrypt, ["(decrypt-bytes \"key\" (encrypt-bytes \"key\" \"message\")) ; => #u8(109 101 115 115 97 103 101)"];
    /// The bytes that encrypt-bytes was given; nil when the key or the context is another one or the
    /// bytes were changed.
    "decrypt-bytes" (key: Any, bytes: Bytes, context: String optional) -> Any, Allocates, decrypt, ["(decrypt-bytes \"other\" (encrypt-bytes \"key\" \"message\")) ; => nil"];
    /// What to keep of a password: a salted Argon2id hash, slow to make so that it is slow to guess.
    "password-hash" (password: String) -> String, Any, password_hash, ["(starts-with? (password-hash \"secret\") \"$argon2id$\") ; => true"];
    /// Is it the password that the hash was made of? A text that is no such hash matches nothing.
    "password-matches?" (hash: String, password: String) -> Bool, Pure, password_matches, ["(password-matches? (password-hash \"secret\") \"secret\") ; => true", "(password-matches? \"secret\" \"secret\") ; => false"];
} }

const NONCE_BYTES: usize = 24;

fn cipher(cx: &Cx<'_>, who: &str) -> Result<XChaCha20Poly1305, Raise> {
    let key = Sha256::digest(data(cx, 0, who)?);
    XChaCha20Poly1305::new_from_slice(&key).map_err(|_| Raise::new(Code::Value, format!("{who}: no key")))
}

fn random<const N: usize>(cx: &mut Cx<'_>, who: &str) -> Result<[u8; N], Raise> {
    let mut bytes = [0; N];
    cx.host().random_bytes(&mut bytes).map_err(|e| host_error(who, &e))?;
    Ok(bytes)
}

fn encrypt(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let who = "encrypt-bytes";
    let nonce: [u8; NONCE_BYTES] = random(cx, who)?;
    let message = data(cx, 1, who)?;
    let payload = Payload {
        msg: &message,
        aad: cx.text(2).as_bytes(),
    };
    let sealed = cipher(cx, who)?
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Raise::new(Code::Range, "encrypt-bytes: too long"))?;
    cx.give_bytes(&[nonce.as_slice(), &sealed].concat())
}

fn decrypt(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes = super::vectors::bytes_of(cx, 1);
    let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE_BYTES>() else {
        return Ok(Word::NIL);
    };
    let payload = Payload {
        msg: sealed,
        aad: cx.text(2).as_bytes(),
    };
    match cipher(cx, "decrypt-bytes")?.decrypt(&XNonce::from(*nonce), payload) {
        Ok(message) => cx.give_bytes(&message),
        Err(_) => Ok(Word::NIL),
    }
}

/// The cost of new hashes: 19 MiB, two passes, one lane.
const COST: Cost = Cost {
    memory_kib: 19 * 1024,
    passes: 2,
    lanes: 1,
};
/// The most a kept hash may ask for, so that a hostile row cannot take the machine down.
const COST_MAX: Cost = Cost {
    memory_kib: 256 * 1024,
    passes: 16,
    lanes: 16,
};

#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    fn is_within(self, most: Cost) -> bool {
        self.memory_kib <= most.memory_kib && self.passes <= most.passes && self.lanes <= most.lanes
    }
    fn hash(self, password: &str, salt: &[u8], len: usize) -> Option<Vec<u8>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(len)).ok()?;
        let mut out = vec![0; len];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), salt, &mut out)
            .ok()?;
        Some(out)
    }
}

fn password_hash(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let salt: [u8; 16] = random(cx, "password-hash")?;
    let Some(hash) = COST.hash(cx.text(0), &salt, 32) else {
        return Err(Raise::new(Code::Range, "password-hash: too long"));
    };
    let Cost {
        memory_kib,
        passes,
        lanes,
    } = COST;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    cx.give_string(&format!(
        "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}"
    ))
}

/// Cost, salt and hash of a PHC string of Argon2id.
fn parse_kept(kept: &str) -> Option<(Cost, Vec<u8>, Vec<u8>)> {
    let mut parts = kept.strip_prefix("$argon2id$v=19$")?.split('$');
    let mut costs = parts.next()?.split(',');
    let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse().ok();
    let cost = Cost {
        memory_kib: cost("m=")?,
        passes: cost("t=")?,
        lanes: cost("p=")?,
    };
    let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
    let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
    let whole = parts.next().is_none() && costs.next().is_none() && (16..=64).contains(&hash.len());
    (whole && cost.is_within(COST_MAX)).then_some((cost, salt, hash))
}

fn password_matches(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let matches = parse_kept(cx.text(0)).is_some_and(|(cost, salt, wanted)| {
        let given = cost.hash(cx.text(1), &salt, wanted.len());
        given.is_some_and(|given| super::digest::same_bytes(&given, &wanted))
    });
    Ok(Word::bool(matches))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_passwords_are_read_whole_or_not_at_all() {
        let kept = "$argon2id$v=19$m=32,t=3,p=4$AgICAgICAgICAgICAgICAg$A2QLnSdKWe1BFQbu9iKXqIE4ZQ8AwnQfQKAE3JzCLXE";
        let Some((cost, salt, hash)) = parse_kept(kept) else {
            panic!("not read");
        };
        assert_eq!((cost.memory_kib, cost.passes, cost.lanes), (32, 3, 4));
        assert_eq!((salt, hash.len()), (vec![2; 16], 32));
        for wrong in [
            "",
            "plain",
            "$argon2i$v=19$m=32,t=3,p=4$AgIC$AgIC",
            "$argon2id$v=19$m=32,t=3$AgIC$AgIC",
            "$argon2id$v=19$m=32,t=3,p=4$AgICAgICAgICAgICAgICAg$AgIC",
            "$argon2id$v=19$m=4000000000,t=3,p=4$AgICAgICAgICAgICAgICAg$A2QLnSdKWe1BFQbu9iKXqIE4ZQ8AwnQfQKAE3JzCLXE",
        ] {
            assert!(parse_kept(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_hash_depends_on_every_operand() {
        let hash = |cost: Cost, password: &str, salt: &[u8]| cost.hash(password, salt, 32);
        let cost = Cost {
            memory_kib: 32,
            passes: 3,
            lanes: 4,
        };
        let base = hash(cost, "password", &[2; 16]);
        assert!(base.is_some());
        assert_ne!(base, hash(cost, "passwore", &[2; 16]));
        assert_ne!(base, hash(cost, "password", &[3; 16]));
        assert_ne!(base, hash(Cost { passes: 4, ..cost }, "password", &[2; 16]));
        assert_eq!(base, hash(cost, "password", &[2; 16]));
    }
}
