//! Uploads, and blobs as they are served.

use axum::body::Body;
use serde_json::json;

use crate::harness::{BASE, Server, picture, text};
use crate::shapes;

#[tokio::test]
async fn an_upload_is_described_attached_and_served() {
    let server = Server::start().await;
    let bytes = picture();
    for path in ["/api/v2/media", "/api/v1/media"] {
        let media = server.upload("POST", path, "file", &bytes).await.ok();
        shapes::media(&media);
        assert_eq!((text(&media, "type"), text(&media, "description")), ("image".into(), "a\"b".into()));
    }
    let id = text(&server.upload("POST", "/api/v2/media", "file", &bytes).await.ok(), "id");
    let path = format!("/api/v1/media/{id}");
    let described = server.call("PUT", &path, json!({"description": "một ảnh", "focus": "-0.5,0.25"})).await.ok();
    assert_eq!(text(&described, "description"), "một ảnh");
    assert_eq!(described["meta"]["focus"], json!({"x": -0.5, "y": 0.25}));
    assert_eq!(server.get(&path).await.ok(), described);
    let posted = server.post("/api/v1/statuses", json!({"status": "", "media_ids": [id]})).await.ok();
    shapes::status(&posted);
    let attached = &posted["media_attachments"][0];
    assert_eq!(text(attached, "description"), "một ảnh");
    let url = text(attached, "url").replace(BASE, "");
    assert_eq!(server.get(&url).await.bytes, bytes);
    // An edit keeps the medium under the id that the status shows.
    let kept = json!({
        "status": "x", "media_ids": [attached["id"]],
        "media_attributes": [{"id": attached["id"], "description": "mới"}],
    });
    let edited = server.call("PUT", &format!("/api/v1/statuses/{}", text(&posted, "id")), kept).await.ok();
    assert_eq!(text(&edited["media_attachments"][0], "description"), "mới");
    server.upload("POST", "/api/v2/media", "other", &bytes).await.refused(422);
    server.get("/api/v1/media/17").await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn the_picture_of_an_erased_post_is_not_served_any_more_unless_another_post_has_it() {
    let server = Server::start().await;
    let upload = async || text(&server.upload("POST", "/api/v2/media", "file", &picture()).await.ok(), "id");
    let mut posts = Vec::new();
    for _ in 0..2 {
        let media = upload().await;
        posts.push(server.post("/api/v1/statuses", json!({"status": "", "media_ids": [media]})).await.ok());
    }
    let attached = &posts[0]["media_attachments"][0];
    let [url, preview] = ["url", "preview_url"].map(|key| text(attached, key).replace(BASE, ""));
    let erase = async |post: &serde_json::Value| {
        server.call("DELETE", &format!("/api/v1/statuses/{}", text(post, "id")), json!({})).await.ok();
    };
    erase(&posts[1]).await;
    for path in [&url, &preview] {
        assert_eq!(server.get(path).await.status.as_u16(), 200, "{path}");
    }
    erase(&posts[0]).await;
    for path in [&url, &preview] {
        server.get(path).await.refused(404);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_blob_is_served_to_anyone_in_ranges_and_never_as_a_page() {
    let server = Server::start().await;
    let bytes = picture();
    let media = server.upload("POST", "/api/v2/media", "file", &bytes).await.ok();
    let url = text(&media, "url").replace(BASE, "");
    let fetch = |name: &str, value: &str| {
        let request = axum::http::Request::builder().uri(&url).header("host", crate::harness::HOST);
        server.send(request.header(name, value).body(Body::empty()).unwrap())
    };
    let whole = fetch("x-none", "").await;
    assert_eq!((whole.status.as_u16(), &whole.bytes), (200, &bytes));
    assert!(whole.header("content-security-policy").starts_with("sandbox"));
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(whole.header("cross-origin-resource-policy"), "cross-origin");
    assert!(whole.header("cache-control").contains("immutable"));
    let part = fetch("range", "bytes=1-3").await;
    assert_eq!((part.status.as_u16(), &part.bytes[..]), (206, &b"PNG"[..]));
    assert_eq!(part.header("content-range"), format!("bytes 1-3/{}", bytes.len()));
    assert_eq!(fetch("range", "bytes=99999-").await.status, 416);
    let tag = whole.header("etag").to_owned();
    let unchanged = fetch("if-none-match", &tag).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.bytes.len()), (304, 0));
    server.stop().await;
}

#[tokio::test]
async fn r_api_14_no_path_leads_out_of_the_blobs() {
    let server = Server::start().await;
    for path in [
        "/media/../token",
        "/media/..%2ftoken",
        "/media/%2e%2e/token",
        "/media/%2fetc%2fpasswd",
        "/media//etc/passwd",
        "/media/..%5ctoken",
        "/media/token%00",
        "/avatars/..%2f..%2ftoken.svg",
        "/headers/%2e%2e%2ftoken",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!String::from_utf8_lossy(&answer.bytes).contains(server.token()));
    }
    server.stop().await;
}

#[tokio::test]
async fn r_api_15_a_page_that_is_uploaded_is_a_file_to_keep() {
    let server = Server::start().await;
    let uploaded = server.upload("POST", "/api/v2/media", "file", b"<html><script>alert(1)</script>").await;
    if uploaded.status == 200 {
        let media = uploaded.ok();
        assert_eq!(text(&media, "type"), "unknown");
        let answer = server.get(&text(&media, "url").replace(BASE, "")).await;
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("content-disposition"), "attachment");
    } else {
        uploaded.refused(422);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_picture_has_a_small_one_with_a_type_a_tag_and_the_size_that_is_told() {
    let server = Server::start().await;
    let media = server.upload("POST", "/api/v2/media", "file", &picture()).await.ok();
    assert_ne!(media["preview_url"], media["url"]);
    assert_eq!(media["meta"]["small"]["size"], "1x1");
    assert_eq!(text(&media, "blurhash").len(), 28);
    let path = text(&media, "preview_url").replace(BASE, "");
    let small = server.get(&path).await;
    assert_eq!((small.status.as_u16(), small.header("content-type")), (200, "image/jpeg"));
    assert!(small.header("content-security-policy").starts_with("sandbox"));
    let request = axum::http::Request::builder().uri(&path).header("host", crate::harness::HOST);
    let again = request.header("if-none-match", small.header("etag")).body(Body::empty()).unwrap();
    assert_eq!(server.send(again).await.status.as_u16(), 304);
    let sound = server.upload("POST", "/api/v2/media", "file", b"OggS and so on").await.ok();
    assert!(sound["preview_url"].is_null());
    let none = text(&sound, "url").replace(BASE, "") + "/preview";
    server.get(&none).await.refused(404);
    server.get("/media/..%2fx/preview").await.refused(404);
    server.upload("POST", "/api/v2/media", "file", &picture()[..20]).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn r_blb_9_a_medium_is_refused_by_its_address_and_is_not_shown_again() {
    let server = Server::start().await;
    let media = server.upload("POST", "/api/v2/media", "file", &picture()).await.ok();
    let url = text(&media, "url");
    let refused = server.post("/api/xom/v1/refused", json!({"medium": url})).await.ok();
    assert!(url.ends_with(&text(&refused, "refused")));
    server.get(&url.replace(BASE, "")).await.refused(404);
    server.get(&text(&media, "preview_url").replace(BASE, "")).await.refused(404);
    server.post("/api/xom/v1/refused", json!({"medium": "https://xom.example/a.png"})).await.refused(422);
    server.post("/api/xom/v1/refused", json!({})).await.refused(422);
    server.stop().await;
}

/// A form with one file of this name and declared type.
async fn upload_as(server: &Server, name: &str, declared: &str, bytes: &[u8]) -> crate::harness::Answer {
    let head = format!(
        "--xom\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {declared}\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, b"\r\n--xom--\r\n"].concat();
    let request = server.request("POST", "/api/v2/media").header("content-type", "multipart/form-data; boundary=xom");
    server.send(request.body(Body::from(body)).expect("a request")).await
}

#[tokio::test]
async fn r_blb_4_bytes_are_served_as_what_they_are_whatever_was_declared() {
    let server = Server::start().await;
    let sound = b"ID3\x04\0\0\0\0\0\0<html><script>alert(1)</script>";
    for (declared, bytes, shown) in [
        ("text/html", picture(), "image/png"),
        ("image/svg+xml", picture(), "image/png"),
        ("image/png", sound.to_vec(), "audio/mpeg"),
        ("text/html; charset=utf-8", sound.to_vec(), "audio/mpeg"),
    ] {
        let media = upload_as(&server, "x", declared, &bytes).await.ok();
        assert_eq!(text(&media, "type"), shown.split('/').next().unwrap(), "declared as {declared}");
        for url in ["url", "preview_url"].map(|key| media[key].as_str()).into_iter().flatten() {
            let answer = server.get(&url.replace(BASE, "")).await;
            assert_eq!(answer.status, 200);
            let kind = answer.header("content-type");
            assert!(kind == shown || kind == "image/jpeg", "{kind} where {declared} was declared");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("content-security-policy"), "sandbox; default-src 'none'; frame-ancestors 'none'");
        }
    }
    for bytes in
        [&b"<!doctype html><script>alert(1)</script>"[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"]
    {
        upload_as(&server, "x.png", "image/png", bytes).await.refused(422);
    }
    server.stop().await;
}

#[tokio::test]
async fn r_blb_6_the_name_of_a_file_names_nothing() {
    let server = Server::start().await;
    let data = server.key_file("x").ancestors().nth(3).unwrap().to_owned();
    let before = std::fs::read_dir(&data).unwrap().count();
    let long = "x".repeat(4_096);
    let names = ["../../token", "/etc/passwd", "CON", "a\0b.png", &long, "gnp.\u{202e}exe.png", "..", "%2e%2e%2ftoken"];
    let bytes = picture();
    let mut urls = std::collections::BTreeSet::new();
    for name in names {
        let answer = upload_as(&server, name, "image/png", &bytes).await;
        if answer.status == 200 {
            let media = answer.ok();
            assert!(!media.to_string().contains(name), "{name:?} is told");
            urls.insert(text(&media, "url"));
        } else {
            assert!(answer.status.is_client_error(), "{name:?}: {}", answer.status);
        }
    }
    assert_eq!(urls.len(), 1, "the same bytes are the same blob: {urls:?}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), before);
    let mut folders = vec![data.join("blobs"), data.join("previews"), data.join("incoming")];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let item = item.unwrap();
            let name = item.file_name().into_string().unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
            if item.path().is_dir() {
                folders.push(item.path());
            }
        }
    }
    server.stop().await;
}
