//! Filling the index of words at the end of a transaction: the views say what is due, the texts are in the bodies.

use xom_protocol::body::{Body, Post};

use super::batch::Batch;
use crate::error::StoreError;
use crate::views::Place;
use crate::views::index::{name_hashes, post_words};

impl Batch<'_> {
    /// Finds renamed accounts under their new names, and takes posts that have waited into segments.
    pub(super) fn fill_index(&mut self) -> Result<(), StoreError> {
        for account in self.views.index.take_renamed() {
            self.index_names(account)?;
        }
        loop {
            let due = self.views.index.due()?;
            if due.is_empty() {
                return Ok(());
            }
            let mut segment = Vec::with_capacity(due.len());
            for status in due {
                // A damaged body has no words; its post is found by its other marks.
                let words = self.text_of(status)?.map(|post| post_words(&post)).unwrap_or_default();
                segment.push((status, words));
            }
            self.views.index.cut(&segment)?;
        }
    }

    fn index_names(&mut self, account: u64) -> Result<(), StoreError> {
        let mut names = Vec::new();
        for (field, place) in self.views.name_places(account)? {
            if let Some(Body::Profile(profile)) = self.body_at(place)? {
                names.extend(if field == "username" { profile.username } else { profile.name });
            }
        }
        let hashes = name_hashes(names.iter().map(String::as_str));
        self.views.index.set_names(account, &hashes)
    }

    /// The newest version of a post.
    fn text_of(&self, status: u64) -> Result<Option<Post>, StoreError> {
        let Some(place) = self.views.post_place(status)? else { return Ok(None) };
        Ok(match self.body_at(place)? {
            Some(Body::Post(post)) => Some(post),
            Some(Body::Edit(edit)) => Some(edit.post),
            _ => None,
        })
    }

    fn body_at(&self, Place { log, seq }: Place) -> Result<Option<Body>, StoreError> {
        let Some(held) = self.held((log, seq))? else { return Ok(None) };
        Ok(self.read_body((log, seq), &held)?.0)
    }
}
