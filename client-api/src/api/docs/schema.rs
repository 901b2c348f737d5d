//! Types of the description in words: what a member is, and tables of members.

use maud::{Markup, html};
use serde_json::Value;

use super::{prose, text};

/// Where named types stand in the description.
const NAMED: &str = "#/components/schemas/";

/// What a value is: a type's name as a link, or its form.
pub(super) fn kind(schema: &Value) -> Markup {
    if let Some(name) = schema["$ref"].as_str().and_then(|target| target.strip_prefix(NAMED)) {
        return html! { a href={ "#type-" (name) } { (name) } };
    }
    for (word, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[word].as_array() {
            return html! {
                @for (index, part) in parts.iter().enumerate() { @if index > 0 { (between) } (kind(part)) }
            };
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => html! { "list of " (kind(&schema["items"])) },
        Value::String(name) => html! { (name) },
        Value::Array(names) => {
            let is_list = names.iter().any(|name| name == "array");
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).filter(|name| *name != "array").collect();
            html! {
                @if is_list { "list of " (kind(&schema["items"])) " or " }
                (names.join(" or "))
            }
        }
        _ => html! { "any value" },
    }
}

/// A named type with its members.
pub(super) fn define(name: &str, schema: &Value) -> Markup {
    let parts: Vec<&Value> = schema["allOf"].as_array().map_or_else(|| vec![schema], |parts| parts.iter().collect());
    html! {
        article id={ "type-" (name) } {
            h3 { code { (name) } }
            p { (prose(text(schema, "description"))) }
            @for part in parts {
                @if part.get("$ref").is_some() { p { "All of " (kind(part)) ", and:" } }
                @if let Some(values) = part["enum"].as_array() {
                    p { "One of " @for (index, value) in values.iter().enumerate() {
                        @if index > 0 { ", " } code { (value.as_str().unwrap_or_default()) }
                    } "." }
                }
                dl {
                    @for (member, said) in part["properties"].as_object().into_iter().flatten() {
                        dt { code { (member) } " " span.kind { (kind(said)) } }
                        dd { (prose(text(said, "description"))) }
                    }
                }
            }
        }
    }
}
