//! `PATCH /api/v1/accounts/update_credentials`: changes the profile. What is absent stays as it was, and what a
//! profile of xom does not have is left aside; the answer shows what is then.

use axum::Json;
use data_encoding::BASE64;
use xom_node::Handle;
use xom_node::command::Command;
use xom_node::private::{POSTING_DEFAULTS, PostingDefaults, value_of};
use xom_protocol::body::{Attachment, Profile, ProfileField};

use crate::api::compose::{checked_language, clean, clean_line};
use crate::api::entities::CredentialAccount;
use crate::api::lookup::own_account;
use crate::api::private;
use crate::api::v1::preferences::posting;
use crate::http::{ApiError, Call, Params};

/// Largest picture, bytes.
const PICTURE_BYTES_MAX: u64 = 8 << 20;

/// Changes it and answers with the account.
pub async fn patch(call: Call, mut params: Params) -> Result<Json<CredentialAccount>, ApiError> {
    change(&call, &mut params).await?;
    if let Some(source) = params.below("source") {
        set_posting(&call, &source).await?;
    }
    credentials(&call).await
}

/// Changes what the parameters name of the caller's profile.
pub async fn change(call: &Call, params: &mut Params) -> Result<(), ApiError> {
    let old = own_account(call).await?;
    let profile = Profile {
        name: params.raw_text("display_name").map(|name| clean_line(&name)),
        bio: params.raw_text("note").map(|note| clean(&note).trim().to_owned()),
        avatar: picture(&call.node, params, "avatar", old.avatar.as_ref()).await?,
        header: picture(&call.node, params, "header", old.header.as_ref()).await?,
        fields: fields(params),
        locked: params.flag("locked"),
        bot: params.flag("bot"),
        ..Profile::default()
    };
    if !profile.set_fields().is_empty() {
        call.node.command(call.viewer(), Command::Profile(Box::new(profile))).await?;
    }
    Ok(())
}

/// The caller's own account as it is now.
pub async fn credentials(call: &Call) -> Result<Json<CredentialAccount>, ApiError> {
    let account = own_account(call).await?;
    let role = call.app.people().role(&call.viewer()).await?;
    Ok(Json(CredentialAccount::new(&call.base, &account, &posting(call).await?).with_role(role)))
}

/// What clients fill in for a new post: `source[privacy]`, `source[sensitive]`, `source[language]`.
async fn set_posting(call: &Call, source: &Params) -> Result<(), ApiError> {
    let old = posting(call).await?;
    let unlisted = match source.text("privacy").as_deref() {
        None => old.unlisted,
        Some("public") => false,
        Some("unlisted") => true,
        Some("private" | "direct") => return Err(ApiError::not_yet("Posts for followers only and direct posts are")),
        Some(_) => return Err(ApiError::invalid("Privacy is not one of public, unlisted")),
    };
    let language = match source.raw_text("language").map(|language| language.trim().to_owned()) {
        None => old.language.clone(),
        Some(language) if language.is_empty() => None,
        Some(language) => Some(checked_language(language)?),
    };
    let new = PostingDefaults { unlisted, language, sensitive: source.flag("sensitive").unwrap_or(old.sensitive) };
    if new != old {
        private::put(call, POSTING_DEFAULTS.to_owned(), value_of(&new)).await?;
    }
    Ok(())
}

/// A new picture, from a file or a `data:` address; an empty text takes the picture away.
async fn picture(
    node: &Handle,
    params: &mut Params,
    name: &str,
    old: Option<&Attachment>,
) -> Result<Option<Vec<Attachment>>, ApiError> {
    let alt = params.raw_text(&format!("{name}_description")).map(|alt| clean(alt.trim()));
    let (picture, declared_type) = match (params.take_file(name), params.raw_text(name)) {
        (Some(file), _) => (file.content, file.declared_type),
        (None, Some(text)) if text.trim().is_empty() => return Ok(Some(Vec::new())),
        (None, Some(text)) => {
            let bytes = read_data_address(&text)
                .ok_or_else(|| ApiError::invalid(format!("{name} is neither a file nor a data: address")))?;
            let mut picture = node.begin_upload();
            picture.write(&bytes).await?;
            (picture, None)
        }
        (None, None) => {
            let described = old.zip(alt).map(|(old, alt)| vec![Attachment { alt, ..old.clone() }]);
            return Ok(described);
        }
    };
    if picture.bytes() > PICTURE_BYTES_MAX {
        return Err(ApiError::invalid(format!("{name} is larger than {} MB", PICTURE_BYTES_MAX >> 20)));
    }
    let mut attachment = node.add_upload(picture, declared_type).await?;
    if !attachment.media_type.starts_with("image/") {
        return Err(ApiError::invalid(format!("{name} is not an image")));
    }
    attachment.alt = alt.unwrap_or_default();
    Ok(Some(vec![attachment]))
}

fn read_data_address(text: &str) -> Option<Vec<u8>> {
    let (_, encoded) = text.strip_prefix("data:")?.split_once(";base64,")?;
    BASE64.decode(encoded.trim().as_bytes()).ok()
}

/// All free fields, if the client sends any; those without a name are left out.
fn fields(params: &Params) -> Option<Vec<ProfileField>> {
    params.get("fields_attributes")?;
    let field = |params: &Params| ProfileField {
        name: clean_line(&params.raw_text("name").unwrap_or_default()),
        value: clean_line(&params.raw_text("value").unwrap_or_default()),
    };
    let all = params.each_below("fields_attributes");
    Some(all.iter().map(field).filter(|field| !field.name.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_come_as_a_list_or_by_number() {
        let wanted = vec![ProfileField { name: "site".into(), value: "https://a.example".into() }];
        for tree in [
            json!({"fields_attributes": [{"name": "site", "value": "https://a.example"}, {"name": "", "value": ""}]}),
            json!({"fields_attributes": {"0": {"name": "site", "value": "https://a.example"}}}),
        ] {
            assert_eq!(fields(&Params::of(tree.clone())), Some(wanted.clone()), "{tree}");
        }
        assert_eq!(fields(&Params::of(json!({}))), None);
        assert_eq!(fields(&Params::of(json!({"fields_attributes": []}))), Some(vec![]));
    }

    #[test]
    fn r_api_16_a_name_with_line_breaks_becomes_one_line() {
        let tree = json!({"fields_attributes": [{"name": "a\r\nSet-Cookie: x", "value": "b\nc"}]});
        let field = fields(&Params::of(tree)).unwrap().remove(0);
        assert_eq!((field.name.as_str(), field.value.as_str()), ("a Set-Cookie: x", "b c"));
    }

    #[test]
    fn a_data_address_holds_base64() {
        assert_eq!(read_data_address("data:image/png;base64,aGk="), Some(b"hi".to_vec()));
        for bad in ["data:image/png,hi", "http://a.example/x.png", "data:;base64,???"] {
            assert_eq!(read_data_address(bad), None, "{bad}");
        }
    }
}
