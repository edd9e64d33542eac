//! Requests as dicts for a handler, and what handlers answer as responses.

use super::peer::Sender;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use hyper::{Request, Response, StatusCode};
use sx::{FromSx, Object, Value};

/// What an answer's body is.
#[derive(Debug)]
pub enum Content {
    /// All of it.
    Whole(Bytes),
    /// The function that writes it.
    Written(Object),
    /// None: what follows is a WebSocket, and this the function of it.
    Socket(Object),
}

impl Content {
    /// The function of a WebSocket.
    pub fn socket(self) -> Option<Object> {
        match self {
            Content::Socket(function) => Some(function),
            _ => None,
        }
    }
}

const TEXT: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The dict a handler is called with.
pub fn request_dict<B>(request: &Request<B>, body: Bytes, sender: Sender) -> Value {
    let uri = request.uri();
    let text = |text: &str| Value::String(text.to_owned());
    let body_text = match std::str::from_utf8(&body) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => Value::Bytes(body.to_vec()),
    };
    let entry = |key: &str, value| (key.to_owned(), value);
    Value::Dict(vec![
        entry("method", text(request.method().as_str())),
        entry("path", text(uri.path())),
        entry("query", text(uri.query().unwrap_or_default())),
        entry("headers", headers_dict(request.headers())),
        entry("body", body_text),
        entry("body-bytes", Value::Bytes(body.into())),
        entry("client", Value::String(sender.client)),
        entry("scheme", text(sender.scheme)),
    ])
}

/// Names in lower case, as hyper has them; repeats joined.
pub fn headers_dict(headers: &HeaderMap) -> Value {
    let mut entries: Vec<(String, Value)> = Vec::with_capacity(headers.keys_len());
    for name in headers.keys() {
        // Cookies are joined as browsers would have joined them (RFC 6265, 5.4).
        let separator = if name == "cookie" { "; " } else { ", " };
        let mut joined = String::new();
        for (index, value) in headers.get_all(name).iter().enumerate() {
            if index > 0 {
                joined.push_str(separator);
            }
            joined.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        entries.push((name.as_str().to_owned(), Value::String(joined)));
    }
    Value::Dict(entries)
}

/// The response of what a handler answered; an error names what is wrong with it.
pub fn response_of(value: Value) -> Result<Response<Content>, String> {
    let Value::Dict(entries) = value else {
        return Err(format!("the answer: expected a dict, got {}", value.type_name()));
    };
    let mut response = Response::new(Content::Whole(Bytes::new()));
    let mut content_type = None;
    let mut socket = None;
    for (key, value) in entries {
        match key.as_str() {
            "status" => *response.status_mut() = status_of(&value)?,
            "headers" => add_headers(response.headers_mut(), value)?,
            "set-cookies" => add_cookies(response.headers_mut(), &value)?,
            "body" => (*response.body_mut(), content_type) = content_of(value)?,
            "websocket" => socket = socket_of(value)?,
            // Room for what a program wants to tell its own middleware.
            _ => {}
        }
    }
    match (response.status() == StatusCode::SWITCHING_PROTOCOLS, socket) {
        (true, Some(function)) => {
            *response.body_mut() = Content::Socket(function);
            return Ok(response);
        }
        (false, None) => {}
        (true, None) => return Err(":status: 101 needs a function of the socket under :websocket".to_owned()),
        (false, Some(_)) => return Err(":websocket: needs 101 under :status".to_owned()),
    }
    if response.status() == StatusCode::RESET_CONTENT {
        // There is none to send (RFC 9110, 15.3.6).
        *response.body_mut() = Content::Whole(Bytes::new());
        return Ok(response);
    }
    if let Some(content_type) = content_type
        && !response.headers().contains_key(CONTENT_TYPE)
    {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    Ok(response)
}

fn status_of(value: &Value) -> Result<StatusCode, String> {
    if matches!(value, Value::Nil) {
        return Ok(StatusCode::OK);
    }
    let code = u16::from_sx(value.clone())
        .ok()
        .filter(|code| *code == 101 || (200..600).contains(code));
    let code = code.and_then(|code| StatusCode::from_u16(code).ok());
    code.ok_or_else(|| format!(":status: expected 101 or a number from 200 to 599, got {value}"))
}

fn socket_of(value: Value) -> Result<Option<Object>, String> {
    match value {
        Value::Nil => Ok(None),
        Value::Object(object) if object.type_name() == "lambda" => Ok(Some(object)),
        other => Err(format!(":websocket: expected a function, got {}", other.type_name())),
    }
}

fn content_of(value: Value) -> Result<(Content, Option<HeaderValue>), String> {
    match value {
        Value::Nil => Ok((Content::Whole(Bytes::new()), None)),
        Value::String(text) if text.is_empty() => Ok((Content::Whole(Bytes::new()), None)),
        Value::String(text) => Ok((Content::Whole(text.into()), Some(TEXT))),
        Value::Bytes(bytes) => Ok((Content::Whole(bytes.into()), Some(BYTES))),
        Value::Object(object) if object.type_name() == "lambda" => Ok((Content::Written(object), Some(TEXT))),
        other => Err(format!(
            ":body: expected a string, a bytevector or a function, got {}",
            other.type_name()
        )),
    }
}

fn add_headers(headers: &mut HeaderMap, value: Value) -> Result<(), String> {
    let entries = match value {
        Value::Nil => return Ok(()),
        Value::Dict(entries) => entries,
        other => return Err(format!(":headers: expected a dict, got {}", other.type_name())),
    };
    for (key, value) in entries {
        let name = HeaderName::from_bytes(key.as_bytes())
            .map_err(|_| format!(":headers: {} cannot be the name of a header", Value::from(&*key)))?;
        // What ends a message is the server's to say.
        if matches!(
            name.as_str(),
            "content-length" | "transfer-encoding" | "connection" | "keep-alive" | "upgrade"
        ) {
            continue;
        }
        match value {
            Value::Nil => {}
            Value::List(values) => {
                for value in values {
                    headers.append(name.clone(), header_value(&key, &value)?);
                }
            }
            value => {
                headers.append(name, header_value(&key, &value)?);
            }
        }
    }
    Ok(())
}

fn add_cookies(headers: &mut HeaderMap, value: &Value) -> Result<(), String> {
    if matches!(value, Value::Nil) {
        return Ok(());
    }
    let Some(cookies) = value.as_slice() else {
        return Err(format!(":set-cookies: expected a list, got {}", value.type_name()));
    };
    for cookie in cookies {
        headers.append(SET_COOKIE, header_value("set-cookie", cookie)?);
    }
    Ok(())
}

fn header_value(name: &str, value: &Value) -> Result<HeaderValue, String> {
    let text = match value {
        Value::String(text) | Value::Symbol(text) | Value::Keyword(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        other => {
            return Err(format!(
                ":headers: the value of {name}: expected a string, got {}",
                other.type_name()
            ));
        }
    };
    HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| format!(":headers: the value of {name} has a line end or a control character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(entries: &[(&str, Value)]) -> Result<Response<Content>, String> {
        let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        response_of(Value::Dict(entries.collect()))
    }

    fn headers(name: &str, value: Value) -> Value {
        Value::Dict(vec![(name.to_owned(), value)])
    }

    #[test]
    fn an_answer_without_anything_is_empty_and_ok() {
        let response = answer(&[]).expect("a response");
        assert_eq!(response.status(), 200);
        assert!(response.headers().is_empty());
    }

    #[test]
    fn a_wrong_answer_is_named() {
        let cases = [
            (
                answer(&[("status", Value::from(99i64))]),
                ":status: expected 101 or a number from 200 to 599, got 99",
            ),
            (
                answer(&[("status", Value::from("200"))]),
                ":status: expected 101 or a number from 200 to 599, got \"200\"",
            ),
            (
                answer(&[("status", Value::from(101i64))]),
                ":status: 101 needs a function of the socket under :websocket",
            ),
            (
                answer(&[("websocket", Value::from(1i64))]),
                ":websocket: expected a function, got number",
            ),
            (
                answer(&[("headers", Value::from(1i64))]),
                ":headers: expected a dict, got number",
            ),
            (
                answer(&[("headers", headers("a b", Value::from("x")))]),
                ":headers: \"a b\" cannot be the name of a header",
            ),
            (
                answer(&[("headers", headers("a", Value::from("x\r\nset-cookie: y")))]),
                ":headers: the value of a has a line end or a control character",
            ),
            (
                answer(&[("set-cookies", Value::List(vec![Value::from("a\0")]))]),
                ":headers: the value of set-cookie has a line end or a control character",
            ),
            (
                answer(&[("body", Value::from(1i64))]),
                ":body: expected a string, a bytevector or a function, got number",
            ),
            (
                response_of(Value::from("hello")),
                "the answer: expected a dict, got string",
            ),
        ];
        for (answer, wanted) in cases {
            assert_eq!(answer.map(|_| ()).expect_err(wanted), wanted);
        }
    }

    #[test]
    fn cookies_and_repeats_are_fields_of_their_own() {
        let response = answer(&[
            (
                "headers",
                headers("x-a", Value::List(vec![Value::from("1"), Value::from(2i64)])),
            ),
            ("set-cookies", Value::List(vec![Value::from("a=1"), Value::from("b=2")])),
            ("body", Value::from("hi")),
        ])
        .expect("a response");
        let all = |name: &str| {
            let values = response.headers().get_all(name).iter();
            values
                .map(|value| value.to_str().unwrap_or_default())
                .collect::<Vec<_>>()
                .join("|")
        };
        assert_eq!((all("x-a").as_str(), all("set-cookie").as_str()), ("1|2", "a=1|b=2"));
        assert_eq!(all("content-type"), "text/html; charset=utf-8");
    }
}
