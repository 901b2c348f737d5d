//! Imports into a node that is played by a test.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Medium, NodeApi, SubmitError, Summary, import_mastodon};
use crate::import::sample::{Form, LAN, Sample, note};

const PICTURE: &str = "media_attachments/files/111/222/original/abc.png";

/// What the played node fails with.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(&'static str);

/// The fields of a form, the name of its file, and the file.
type Upload = (Vec<(String, String)>, String, Vec<u8>);

/// Takes what it is given, with some whims.
#[derive(Default)]
struct Node {
    posts: RefCell<Vec<Value>>,
    uploads: RefCell<Vec<Upload>>,
    requests: Cell<usize>,
    refuses_media: bool,
    refuses: Option<&'static str>,
    /// Fails from this request on.
    fails_at: Option<usize>,
}

impl NodeApi for Node {
    type Error = Failure;

    fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.requests.set(self.requests.get() + 1);
        if self.fails_at.is_some_and(|at| self.requests.get() >= at) {
            return Err(Failure("gone"));
        }
        let has = |url: &Value| self.posts.borrow().iter().any(|post| post["source_url"] == *url);
        if path == "/api/xom/v1/import/known" {
            let asked = body["source_urls"].as_array().unwrap();
            return Ok(json!({"known": asked.iter().filter(|url| has(url)).collect::<Vec<_>>()}));
        }
        assert_eq!(path, "/api/xom/v1/import/posts");
        let results = body["posts"].as_array().unwrap().iter().map(|post| {
            let url = post["source_url"].clone();
            if self.refuses.is_some_and(|refused| post["text"] == refused) {
                return json!({"source_url": url, "outcome": "refused", "reason": "no"});
            }
            assert!(!has(&url), "{url} was sent twice");
            self.posts.borrow_mut().push(post.clone());
            json!({"source_url": url, "outcome": "imported", "id": "1"})
        });
        Ok(json!({"results": results.collect::<Vec<_>>()}))
    }

    fn upload(
        &self,
        path: &str,
        fields: &[(String, String)],
        name: &str,
        mut medium: Medium,
    ) -> Result<Value, Failure> {
        assert_eq!(path, "/api/v2/media");
        if self.refuses_media {
            return Err(Failure("not a picture"));
        }
        let mut uploads = self.uploads.borrow_mut();
        let mut bytes = Vec::new();
        medium.file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, medium.bytes);
        uploads.push((fields.to_vec(), name.to_owned(), bytes));
        Ok(json!({"id": uploads.len().to_string()}))
    }

    fn refusal(error: &Failure) -> Option<String> {
        (error.0 != "gone").then(|| error.0.to_owned())
    }
}

/// An archive of `activities` and the data folder to import it into.
struct Place {
    folder: TempDir,
    data: TempDir,
}

impl Place {
    fn new(activities: &[Value]) -> Self {
        let place = Self { folder: TempDir::new().unwrap(), data: TempDir::new().unwrap() };
        Sample::new("top/", activities, &[(PICTURE, b"pixels")]).pack(Form::TarGz, &place.folder);
        place
    }

    fn import(&self, node: &Node) -> Result<Summary, SubmitError<Failure>> {
        let summary = import_mastodon(&self.folder.path().join("archive"), self.data.path(), node)?;
        let listed = summary.imported + summary.known + summary.private + summary.not_taken.len() as u64;
        assert_eq!(listed, summary.items, "every item is counted once: {summary:#?}");
        let left = fs::read_dir(self.data.path().join("imports")).unwrap();
        let left: BTreeSet<String> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(left.iter().all(|name| name == "lock" || name.starts_with("private-")), "left behind: {left:?}");
        Ok(summary)
    }
}

fn picture(alt: &str) -> Value {
    json!([{"type": "Document", "mediaType": "image/png", "name": alt, "focalPoint": [0.5, -0.25],
        "url": format!("/{PICTURE}")}])
}

#[test]
fn posts_and_media_are_sent_once_however_often_the_import_runs() {
    let mut activities: Vec<Value> = (0..249).map(|number| note(number, json!({}))).collect();
    activities.push(note(249, json!({"attachment": picture("a house"), "summary": "houses"})));
    let (place, node) = (Place::new(&activities), Node::default());
    let first = place.import(&node).unwrap();
    assert_eq!((first.imported, first.known, first.media), (250, 0, 1));
    let sent = node.posts.borrow().clone();
    assert!(sent.is_sorted_by_key(|post| post["published"].as_str().unwrap().to_owned()));
    let house = sent.iter().find(|post| post["warning"] == "houses").unwrap();
    let expected = json!({"source_url": format!("{LAN}/statuses/249"), "published": "2022-11-26T10:20:30.000Z",
        "text": "post 249", "warning": "houses", "sensitive": false, "languages": ["vi"], "tags": [], "links": [],
        "mentions": [], "reply_to": null, "media_ids": ["1"], "poll": null, "visibility": "public"});
    assert_eq!(*house, expected);
    let fields = vec![("description".into(), "a house".into()), ("focus".into(), "0.5,-0.25".into())];
    assert_eq!(*node.uploads.borrow(), [(fields, "abc.png".to_owned(), b"pixels".to_vec())]);

    let second = place.import(&node).unwrap();
    assert_eq!((second.imported, second.known, second.media), (0, 250, 0));
    assert_eq!(node.posts.borrow().len(), 250);
}

#[test]
fn an_interrupted_import_goes_on_where_it_was() {
    let activities: Vec<Value> = (0..250).map(|number| note(number, json!({}))).collect();
    let (place, mut node) = (Place::new(&activities), Node { fails_at: Some(3), ..Node::default() });
    assert!(matches!(place.import(&node), Err(SubmitError::Node(_))));
    assert_eq!(node.posts.borrow().len(), 100);
    node.fails_at = None;
    let rest = place.import(&node).unwrap();
    assert_eq!((rest.imported, rest.known), (150, 100));
}

#[test]
fn private_posts_go_to_a_private_file_only_and_stay_there() {
    let private = |number: u64| note(number, json!({"to": [format!("{LAN}/followers")], "cc": []}));
    let (place, node) = (Place::new(&[private(1), note(2, json!({})), private(3)]), Node::default());
    let summary = place.import(&node).unwrap();
    assert_eq!((summary.imported, summary.private), (1, 2));
    assert_eq!(node.posts.borrow().len(), 1);
    let path = summary.private_file.unwrap();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(name.len(), "private-0123456789ab.json".len());
    let read = || serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(read()["actor"], LAN);
    assert_eq!(read()["posts"][0]["activity"], private(1));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    Sample::new("", &[private(3), private(4)], &[]).pack(Form::Zip, &place.folder);
    assert_eq!(place.import(&node).unwrap().private, 2);
    let kept: Vec<Value> = (0..3).map(|at| read()["posts"][at]["activity"].clone()).collect();
    assert_eq!(kept, [private(1), private(3), private(4)]);
}

#[test]
fn what_the_node_refuses_is_listed() {
    let activities = [
        note(1, json!({})),
        note(2, json!({"attachment": picture("")})),
        note(3, json!({"attachment": picture(""), "content": ""})),
    ];
    let (place, node) =
        (Place::new(&activities), Node { refuses_media: true, refuses: Some("post 1"), ..Node::default() });
    let summary = place.import(&node).unwrap();
    assert_eq!((summary.imported, summary.not_taken.len(), summary.partial.len()), (1, 2, 1));
    let said = summary.to_string();
    for part in [
        "statuses/1: the node refused it: no",
        "statuses/2: its media file abc.png was refused: not a picture",
        "statuses/3: its media file abc.png was refused",
        "3 items",
        "1 posts imported",
    ] {
        assert!(said.contains(part), "{said} says {part:?}");
    }
}

#[test]
fn an_archive_that_is_none_leaves_the_node_alone() {
    let (place, node) = (Place::new(&[]), Node::default());
    fs::write(place.folder.path().join("archive"), "no archive").unwrap();
    assert!(matches!(place.import(&node), Err(SubmitError::Archive(_))));
    assert_eq!(node.requests.get(), 0);
}
