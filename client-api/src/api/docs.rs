//! `/api/docs`: our own API for people, drawn from its description. One page without any script that loads nothing
//! but its own styles; the `type` of every error is an anchor on it. Needs no token.

mod schema;

use std::future::{Ready, ready};

use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde_json::{Map, Value};

use super::xom::openapi::{PREFIX, document};
use crate::http::call::Anonymous;
use crate::http::{Base, ErrorKind};

/// The page's own policy: its styles and nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The styles.
const STYLE: &str = include_str!("docs/style.css");
/// The order in which methods of a path are shown.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The styles of the page.
pub fn style() -> Ready<Response> {
    ready(([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response())
}

/// The page.
pub fn get(Anonymous(base): Anonymous) -> Ready<Response> {
    let page = page(&base, document());
    ready(([(header::CONTENT_SECURITY_POLICY, POLICY)], page).into_response())
}

/// An operation of the description.
struct Operation<'d> {
    method: &'d str,
    path: &'d str,
    said: &'d Value,
}

fn page(base: &Base, document: &Value) -> Markup {
    let operations = operations(document);
    let tags: Vec<&Value> = document["tags"].as_array().into_iter().flatten().collect();
    let schemas = document["components"]["schemas"].as_object();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "The API of xom" }
                link rel="stylesheet" href="/api/docs/style.css";
            }
            body {
                nav aria-label="Contents" {
                    a href="#top" { strong { "xom " (text(&document["info"], "version")) } }
                    @for tag in &tags {
                        a href={ "#tag-" (text(tag, "name")) } { (text(tag, "name")) }
                    }
                    a href="#errors" { "errors" }
                    a href="#types" { "types" }
                }
                main id="top" {
                    h1 { "The API of xom" }
                    p { (prose(text(&document["info"], "description"))) }
                    p {
                        "All addresses stand below " code { (base.as_str()) (PREFIX) } ". The same as OpenAPI 3.1: "
                        a href={ (PREFIX) "/openapi.json" } { code { (PREFIX) "/openapi.json" } } "."
                    }
                    @for tag in &tags { (section(base, tag, &operations)) }
                    (errors())
                    h2 id="types" { "Types" }
                    @for (name, schema) in schemas.into_iter().flatten() { (schema::define(name, schema)) }
                }
            }
        }
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let one = |method| item.get(method).map(|said| Operation { method, path, said });
        found.extend(METHODS.into_iter().filter_map(one));
    }
    found
}

fn section(base: &Base, tag: &Value, operations: &[Operation<'_>]) -> Markup {
    let name = text(tag, "name");
    let is_here = |operation: &&Operation<'_>| operation.said["tags"][0] == name;
    html! {
        section {
            h2 id={ "tag-" (name) } { (name) }
            p { (prose(text(tag, "description"))) }
            @for operation in operations.iter().filter(is_here) { (one(base, operation)) }
        }
    }
}

fn one(base: &Base, operation: &Operation<'_>) -> Markup {
    let said = operation.said;
    let parameters: Vec<&Value> = said["parameters"].as_array().into_iter().flatten().collect();
    let answers = said["responses"].as_object().into_iter().flatten();
    html! {
        article id={ "op-" (text(said, "operationId")) } {
            h3 { span.method { (operation.method.to_uppercase()) } " " code { (operation.path) } }
            p { strong { (text(said, "summary")) "." } " " (prose(text(said, "description"))) }
            p.needs { (needs(said)) }
            @if !parameters.is_empty() {
                dl {
                    @for parameter in &parameters {
                        dt { code { (text(parameter, "name")) } " " span.kind { (schema::kind(&parameter["schema"])) }
                            " in the " (text(parameter, "in")) }
                        dd { (prose(text(parameter, "description"))) }
                    }
                }
            }
            @if let Some(content) = said["requestBody"]["content"].as_object() { p { "Takes " (content_of(content)) } }
            @for (status, answer) in answers.filter(|(status, _)| *status != "default") {
                p {
                    "Answers " strong { (status) } ": " (prose(text(answer, "description")))
                    @if let Some(content) = answer["content"].as_object() { ", " (content_of(content)) }
                }
            }
            pre { code { (example(base, operation)) } }
        }
    }
}

/// Which token an operation wants.
fn needs(said: &Value) -> Markup {
    let wanted: Vec<&Value> = said["security"].as_array().into_iter().flatten().collect();
    let scope = wanted.iter().find_map(|one| one["app"][0].as_str());
    html! {
        @match (wanted.is_empty(), scope) {
            (true, _) => "Needs no token."
            (false, Some(scope)) => { "Needs the owner's token, or one of an app with " code { (scope) } "." }
            (false, None) => "Needs the owner's own token."
        }
    }
}

fn content_of(content: &Map<String, Value>) -> Markup {
    html! {
        @for (index, (media_type, said)) in content.iter().enumerate() {
            @if index > 0 { " or " }
            code { (media_type) } " " span.kind { (schema::kind(&said["schema"])) }
        }
    }
}

/// A line to try it with.
fn example(base: &Base, operation: &Operation<'_>) -> String {
    let mut line = String::from("curl");
    if operation.method != "get" {
        line.push_str(&format!(" -X {}", operation.method.to_uppercase()));
    }
    if operation.said["security"].as_array().is_some_and(|wanted| !wanted.is_empty()) {
        line.push_str(" -H \"Authorization: Bearer $TOKEN\"");
    }
    if operation.said["requestBody"]["content"].get("application/json").is_some() {
        line.push_str(" --json '…'");
    }
    format!("{line} {}{PREFIX}{}", base.as_str(), operation.path)
}

fn errors() -> Markup {
    html! {
        h2 id="errors" { "Errors" }
        p {
            "Problem details (RFC 9457) of type " code { "application/problem+json" } ". "
            code { "type" } " is the address of one of these, the same on every node."
        }
        dl {
            @for kind in ErrorKind::ALL {
                dt id={ "error-" (kind.slug()) } {
                    code { (kind.slug()) } " " span.kind { (kind.status().as_u16()) " "
                        (kind.status().canonical_reason().unwrap_or_default()) }
                }
                dd { (kind.meaning()) }
            }
        }
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// A text whose pieces between backticks are code.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, piece) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_type_and_error_stands_on_the_page_once_and_nothing_is_loaded() {
        let page = page(&Base::new("http", "localhost:7766"), document()).into_string();
        let once = |id: String| assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        for operation in operations(document()) {
            once(format!("op-{}", text(operation.said, "operationId")));
        }
        for name in document()["components"]["schemas"].as_object().unwrap().keys() {
            once(format!("type-{name}"));
        }
        for kind in ErrorKind::ALL {
            once(format!("error-{}", kind.slug()));
            assert!(kind.address().ends_with(&format!("/docs#error-{}", kind.slug())));
        }
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains(" style="));
        assert_eq!(page.matches("<link").count(), 1);
        assert_eq!(page.matches("//").count(), page.matches("http://localhost:7766").count(), "no other address");
        for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
        }
    }
}
