//! Values of the older host's files, which are texts, as the bytes that the ops of the store keep.

use super::encode::encode;
use sx::{FromSx, Value, read_data};
use sx_store::{Convert, ConvertedEvent};

/// What `persist/append` keeps of an event besides its number, in order.
const PARTS: [&str; 3] = ["type", "ts", "data"];

/// Reads values as they are written in programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Texts;

fn one(text: &str) -> Result<Value, String> {
    let mut data = read_data(text).map_err(|error| error.message.clone())?;
    match (data.pop(), data.is_empty()) {
        (Some(value), true) => Ok(value),
        (Some(_), false) => Err("more than one value".to_owned()),
        (None, _) => Err("no value".to_owned()),
    }
}

impl Convert for Texts {
    fn value(&mut self, text: &str) -> Result<Vec<u8>, String> {
        encode(&one(text)?)
    }

    /// An event is a dict `{:seq :type :ts :data}`; anything else is data alone.
    fn event(&mut self, text: &str) -> Result<ConvertedEvent, String> {
        let value = one(text)?;
        let is_event = |entries: &[(String, Value)]| {
            let known = |key: &str| PARTS.contains(&key) || matches!(key, "seq" | "stream");
            entries.iter().any(|(key, _)| key == "data") && entries.iter().all(|(key, _)| known(key))
        };
        let (seq, parts) = match &value {
            Value::Dict(entries) if is_event(entries) => {
                let part = |key: &str| value.get(key).cloned().unwrap_or(Value::Nil);
                let seq = match part("seq") {
                    Value::Nil => None,
                    seq => Some(u64::from_sx(seq).map_err(|_| "its :seq is no number".to_owned())?),
                };
                (seq, PARTS.map(part).to_vec())
            }
            _ => (None, vec![Value::Nil, Value::Nil, value]),
        };
        Ok((seq, encode(&Value::List(parts))?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode::decode;
    use super::*;

    fn event(text: &str) -> (Option<u64>, String) {
        let (seq, bytes) = Texts.event(text).expect(text);
        (seq, decode(&bytes).expect("ours").to_string())
    }

    #[test]
    fn events_keep_their_number_and_parts() {
        for (text, seq, parts) in [
            (
                r#"{:seq 7 :type "made" :ts 5 :data {:a (1 2)}}"#,
                Some(7),
                r#"("made" 5 {:a (1 2)})"#,
            ),
            (r#"{:stream "s" :data nil}"#, None, "(nil nil nil)"),
            // Whatever else it is, nothing of it is lost.
            (r#"{:data 1 :by "ann"}"#, None, r#"(nil nil {:data 1 :by "ann"})"#),
            ("(1 2)", None, "(nil nil (1 2))"),
        ] {
            assert_eq!(event(text), (seq, parts.to_owned()), "{text}");
        }
        for wrong in ["", "1 2", "(", r#"{:seq "x" :data 1}"#] {
            assert!(Texts.event(wrong).is_err(), "{wrong}");
        }
    }
}
