//! Parameters of a request, whether they came in the query, as JSON, urlencoded or multipart: one tree.
//!
//! Blank parameters count as absent, except where a handler asks for a text that may be emptied.

mod lenient;
mod sent;
mod tree;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use serde_json::{Map, Value};
use xom_node::blob::BlobWriter;
use zeroize::Zeroizing;

use super::app::App;
use super::error::{ApiError, ErrorKind};
use super::limits::{BODY_BYTES_MAX, FILES_MAX, IDS_MAX, PARAMS_MAX};
pub use sent::{Secret, Sent};
use tree::Tree;

/// A file of a multipart body.
#[derive(Debug)]
pub struct Upload {
    /// The name of its parameter.
    pub name: String,
    /// The type that the client says it has; never trusted.
    pub declared_type: Option<String>,
    /// Its bytes, in a temporary file.
    pub content: BlobWriter,
}

/// The parameters of a request.
#[derive(Debug, Default)]
pub struct Params {
    tree: Map<String, Value>,
    files: Vec<Upload>,
}

impl FromRequest<App> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        Self::read(request, || app.node().begin_upload()).await
    }
}

async fn bytes(request: Request) -> Result<Bytes, ApiError> {
    let body = request.into_limited_body();
    axum::body::to_bytes(body, usize::MAX).await.map_err(|cause| {
        // The limit shows only in the chain of causes.
        let mut source: Option<&dyn std::error::Error> = Some(&cause);
        while let Some(error) = source {
            if error.to_string().contains("length limit") {
                return ErrorKind::TooLarge.into();
            }
            source = error.source();
        }
        ErrorKind::Malformed.into()
    })
}

impl Params {
    /// Reads a request; `begin` begins an upload for each file of a multipart body.
    async fn read(request: Request, begin: impl Fn() -> BlobWriter) -> Result<Self, ApiError> {
        // Nothing is unpacked here, so that a small body can't become a large one (`R-API-13`).
        if request.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(ErrorKind::UnsupportedType.into());
        }
        let mut tree = Tree::default();
        if let Some(query) = request.uri().query() {
            tree.add_urlencoded(query.as_bytes())?;
        }
        let content_type = match request.headers().get(header::CONTENT_TYPE) {
            Some(value) => value.to_str().map_err(|_| ErrorKind::UnsupportedType)?.to_ascii_lowercase(),
            None => String::new(),
        };
        let media_type = content_type.split(';').next().unwrap_or("").trim();
        if media_type == "multipart/form-data" {
            return Self::from_multipart(request, tree, begin).await;
        }
        let body = bytes(request).await?;
        match media_type {
            _ if body.is_empty() => {}
            "application/json" | "application/activity+json" => tree.add_json(&body)?,
            "application/x-www-form-urlencoded" => tree.add_urlencoded(&body)?,
            "" if body.first() == Some(&b'{') => tree.add_json(&body)?,
            "" => tree.add_urlencoded(&body)?,
            _ => return Err(ErrorKind::UnsupportedType.into()),
        }
        Ok(Self { tree: tree.into_map(), files: Vec::new() })
    }

    async fn from_multipart(
        request: Request,
        mut tree: Tree,
        begin: impl Fn() -> BlobWriter,
    ) -> Result<Self, ApiError> {
        let failed = |status: axum::http::StatusCode| match status.as_u16() {
            413 => ApiError::new(ErrorKind::TooLarge),
            _ => ApiError::new(ErrorKind::Malformed),
        };
        let mut parts = Multipart::from_request(request, &()).await.map_err(|cause| failed(cause.status()))?;
        let mut files = Vec::new();
        let mut count = 0;
        let mut text_bytes = 0;
        while let Some(mut part) = parts.next_field().await.map_err(|cause| failed(cause.status()))? {
            count += 1;
            if count > PARAMS_MAX {
                return Err(ErrorKind::TooLarge.into());
            }
            let name = part.name().unwrap_or_default().to_owned();
            let is_file = part.file_name().is_some();
            let declared_type = part.content_type().map(str::to_owned);
            if is_file {
                if files.len() == FILES_MAX {
                    return Err(ErrorKind::TooLarge.into());
                }
                let mut content = begin();
                while let Some(piece) = part.chunk().await.map_err(|cause| failed(cause.status()))? {
                    content.write(&piece).await?;
                }
                files.push(Upload { name, declared_type, content });
                continue;
            }
            // Piece by piece: a text is refused before more of it than is allowed was kept.
            let mut bytes = Vec::new();
            while let Some(piece) = part.chunk().await.map_err(|cause| failed(cause.status()))? {
                text_bytes += piece.len();
                if text_bytes > BODY_BYTES_MAX {
                    return Err(ErrorKind::TooLarge.into());
                }
                bytes.extend_from_slice(&piece);
            }
            let text = std::str::from_utf8(&bytes).map_err(|_| ErrorKind::Malformed)?;
            tree.add(&name, text)?;
        }
        Ok(Self { tree: tree.into_map(), files })
    }

    /// The parameters of a JSON object; for tests and for callers inside the program.
    pub fn from_map(tree: Map<String, Value>) -> Self {
        Self { tree, files: Vec::new() }
    }

    /// The parameters of a JSON object that a test writes down.
    #[cfg(test)]
    pub(crate) fn of(tree: Value) -> Self {
        let Value::Object(map) = tree else { panic!("not a map") };
        Self::from_map(map)
    }

    /// The whole tree.
    pub fn tree(&self) -> &Map<String, Value> {
        &self.tree
    }

    /// Takes the file of this name, if it was sent with content.
    pub fn take_file(&mut self, name: &str) -> Option<Upload> {
        let at = self.files.iter().position(|file| file.name == name && file.content.bytes() > 0)?;
        Some(self.files.swap_remove(at))
    }

    /// The value of this name, none if absent or null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.tree.get(name).filter(|value| !value.is_null())
    }

    /// A text, also an empty one. Numbers and flags become text.
    pub fn raw_text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text_of)
    }

    /// A text that is not blank.
    pub fn text(&self, name: &str) -> Option<String> {
        self.raw_text(name).filter(|text| !text.trim().is_empty())
    }

    /// Takes a secret out of the parameters; it is cleared when it is dropped. None if absent or blank.
    pub fn take_secret(&mut self, name: &str) -> Option<Zeroizing<String>> {
        match self.tree.remove(name)? {
            Value::String(text) => Some(Zeroizing::new(text)).filter(|text| !text.trim().is_empty()),
            _ => None,
        }
    }

    /// Takes the secrets of a list out of the parameters, blank ones too.
    pub fn take_secrets(&mut self, name: &str) -> Vec<Zeroizing<String>> {
        let Some(Value::Array(items)) = self.tree.remove(name) else { return Vec::new() };
        let text = |item| if let Value::String(text) = item { Some(Zeroizing::new(text)) } else { None };
        items.into_iter().filter_map(text).collect()
    }

    /// A flag; none if absent or blank.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(flag_of)
    }

    /// A whole number that is not negative.
    pub fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        match self.text(name) {
            Some(text) => Ok(Some(text.trim().parse().map_err(|_| not_a_number(name))?)),
            None => Ok(None),
        }
    }

    /// A local id, none if absent or blank.
    pub fn id(&self, name: &str) -> Result<Option<u64>, ApiError> {
        self.text(name).map(|text| parse_id(text.trim()).ok_or_else(|| not_a_number(name))).transpose()
    }

    /// Texts: a list, a map with numbers as keys, or one alone.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.items(name).iter().filter_map(text_of).filter(|text| !text.is_empty()).collect()
    }

    /// Local ids of a list, at most [`IDS_MAX`].
    pub fn ids(&self, name: &str) -> Result<Vec<u64>, ApiError> {
        let texts = self.texts(name);
        if texts.len() > IDS_MAX {
            return Err(ApiError::invalid(format!("at most {IDS_MAX} ids can be asked for at once")));
        }
        texts.iter().map(|text| parse_id(text.trim()).ok_or_else(|| not_a_number(name))).collect()
    }

    /// The items of a list, of a map with numbers as keys by their order, or the one value.
    pub fn items(&self, name: &str) -> Vec<Value> {
        self.get(name).map(items_of).unwrap_or_default()
    }

    /// The parameters below this name, none if there is no map there.
    pub fn below(&self, name: &str) -> Option<Self> {
        match self.get(name)? {
            Value::Object(map) => Some(Self::from_map(map.clone())),
            _ => None,
        }
    }

    /// The maps of a list, as [`Params::items`].
    pub fn each_below(&self, name: &str) -> Vec<Self> {
        let map = |item| if let Value::Object(map) = item { Some(Self::from_map(map)) } else { None };
        self.items(name).into_iter().filter_map(map).collect()
    }
}

fn not_a_number(name: &str) -> ApiError {
    ApiError::invalid(format!("{} is not a number", name.escape_default()))
}

/// Reads a local id; one that is too large for any id is the largest.
pub fn parse_id(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn flag_of(value: &Value) -> Option<bool> {
    let text = text_of(value)?.to_ascii_lowercase();
    match text.as_str() {
        "" => None,
        "false" | "f" | "0" | "off" | "no" => Some(false),
        _ => Some(true),
    }
}

fn items_of(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Object(map) => {
            let numbered: Option<Vec<(u64, &Value)>> =
                map.iter().map(|(key, item)| key.parse().ok().map(|number| (number, item))).collect();
            match numbered {
                Some(mut items) => {
                    items.sort_by_key(|(number, _)| *number);
                    items.into_iter().map(|(_, item)| item.clone()).collect()
                }
                None => vec![value.clone()],
            }
        }
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use super::*;

    async fn read(content_type: Option<&str>, target: &str, body: &str) -> Result<Params, ApiError> {
        let mut request = Request::builder().method("POST").uri(target);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        take(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn take(request: Request) -> Result<Params, ApiError> {
        let folder = tempfile::tempdir().unwrap();
        Params::read(request, || BlobWriter::new(folder.path())).await
    }

    async fn check(content_type: Option<&str>, body: &str) {
        let params = read(content_type, "/?q=1", body).await.unwrap();
        let expected = json!({
            "q": "1",
            "status": "xin chào",
            "media_ids": ["1", "2"],
            "poll": {"options": ["a", "b"], "multiple": "true"},
            "fields_attributes": {"0": {"name": "n", "value": "v"}, "1": {"name": "m", "value": ""}},
        });
        assert_eq!(Value::Object(params.tree().clone()), expected, "{content_type:?}");
        assert_eq!(params.ids("media_ids").unwrap(), [1, 2]);
        assert_eq!(params.each_below("fields_attributes").len(), 2);
        assert_eq!(params.below("poll").unwrap().flag("multiple"), Some(true));
    }

    const PAIRS: [(&str, &str); 10] = [
        ("status", "xin chào"),
        ("media_ids[]", "1"),
        ("media_ids[]", "2"),
        ("poll[options][]", "a"),
        ("poll[options][]", "b"),
        ("poll[multiple]", "true"),
        ("fields_attributes[0][name]", "n"),
        ("fields_attributes[0][value]", "v"),
        ("fields_attributes[1][name]", "m"),
        ("fields_attributes[1][value]", ""),
    ];

    #[tokio::test]
    async fn json_urlencoded_and_multipart_give_the_same_tree() {
        let form = serde_urlencoded::to_string(PAIRS).unwrap();
        check(Some("application/x-www-form-urlencoded; charset=utf-8"), &form).await;
        check(None, &form).await;
        let mut multipart = String::new();
        for (name, value) in PAIRS {
            multipart.push_str(&format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        multipart.push_str("--x--\r\n");
        check(Some("multipart/form-data; boundary=x"), &multipart).await;
        let json = r#"{"status":"xin chào","media_ids":["1","2"],"poll":{"options":["a","b"],"multiple":"true"},
            "fields_attributes":{"0":{"name":"n","value":"v"},"1":{"name":"m","value":""}}}"#;
        check(Some("application/json"), json).await;
        check(None, json).await;
    }

    #[tokio::test]
    async fn files_are_apart_from_parameters() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../etc/passwd\"\r\n\
            Content-Type: image/png\r\n\r\nbytes\r\n--x--\r\n";
        let mut params = read(Some("multipart/form-data; boundary=x"), "/", body).await.unwrap();
        assert!(params.tree().is_empty());
        assert!(params.take_file("other").is_none());
        let file = params.take_file("file").unwrap();
        assert_eq!((file.content.bytes(), file.declared_type.as_deref()), (5, Some("image/png")));
        assert!(params.take_file("file").is_none());
    }

    #[tokio::test]
    async fn r_blb_2_more_files_than_any_form_has_are_refused() {
        let part = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nbytes\r\n";
        let body = |count: usize| format!("{}--x--\r\n", part.repeat(count));
        let few = read(Some("multipart/form-data; boundary=x"), "/", &body(FILES_MAX)).await.unwrap();
        assert_eq!(few.files.len(), FILES_MAX);
        let many = read(Some("multipart/form-data; boundary=x"), "/", &body(FILES_MAX + 1)).await.unwrap_err();
        assert_eq!(many.kind(), ErrorKind::TooLarge);
    }

    #[tokio::test]
    async fn r_api_2_a_body_of_plain_text_is_refused() {
        let refused = read(Some("text/plain"), "/", r#"{"status":"x"}"#).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::UnsupportedType);
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_read_is_the_clients_fault() {
        let deep = "[".repeat(100_000);
        for body in ["{", "[1]", "\"x\"", "nonsense", deep.as_str()] {
            let refused = read(Some("application/json"), "/", body).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Malformed, "{}", &body[..body.len().min(20)]);
        }
        let refused = read(Some("multipart/form-data"), "/", "x").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Malformed);
        let long = "x".repeat(3 << 20);
        let refused = read(None, "/", &long).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TooLarge);
    }

    #[tokio::test]
    async fn r_api_13_packed_and_endless_bodies_are_refused() {
        let request = Request::builder().method("POST").uri("/").header(header::CONTENT_ENCODING, "gzip");
        let packed = take(request.body(Body::from("x")).unwrap()).await.unwrap_err();
        assert_eq!(packed.kind(), ErrorKind::UnsupportedType);
        let pieces = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4_096])));
        let request = Request::builder().method("POST").uri("/").body(Body::from_stream(pieces)).unwrap();
        let endless = take(request).await.unwrap_err();
        assert_eq!(endless.kind(), ErrorKind::TooLarge);
    }

    #[tokio::test]
    async fn blank_parameters_count_as_absent() {
        let params = read(None, "/?limit=&max_id=&q=%20&only_media=", "").await.unwrap();
        assert_eq!(params.number("limit").unwrap(), None);
        assert_eq!(params.id("max_id").unwrap(), None);
        assert_eq!(params.text("q"), None);
        assert_eq!(params.flag("only_media"), None);
        assert_eq!(params.raw_text("limit").as_deref(), Some(""));
    }

    #[test]
    fn an_id_too_large_for_any_id_is_the_largest() {
        assert_eq!(parse_id("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(parse_id("-1"), None);
        assert_eq!(parse_id("+1"), None);
        assert_eq!(parse_id(""), None);
    }
}
