//! What a request sends, as a type that the description of the API shows too.

use std::fmt;

use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer};
use zeroize::Zeroizing;

use super::{Params, lenient};
use crate::http::app::App;
use crate::http::error::ApiError;

/// The parameters of a request, wherever they came, read as `T`.
#[derive(Debug)]
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        Params::from_request(request, app).await?.parse().map(Self)
    }
}

impl Params {
    /// Reads all of them as a type.
    pub fn parse<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        lenient::read(self.tree).map_err(|misfit| ApiError::invalid(misfit.to_string()))
    }
}

/// A secret that was sent: cleared when it is dropped, and never shown.
#[derive(Clone)]
pub struct Secret(pub Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text that is not blank")
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Secret, E> {
                let text = Zeroizing::new(text);
                if text.trim().is_empty() { Err(E::custom("can't be blank")) } else { Ok(Secret(text)) }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                self.visit_string(text.to_owned())
            }
        }
        // Asked for as anything, so that a number or a flag is not taken for a secret.
        from.deserialize_any(Text)
    }
}
