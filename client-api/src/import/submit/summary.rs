//! What an import did, for people and for programs.

use std::fmt::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::import::contents::{Actor, Contents, NotTaken};

/// The result of an import: `imported`, `known`, `private` and `not_taken` together are as many as `items`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Whose archive it was.
    pub actor: Actor,
    /// Items of the outbox.
    pub items: u64,
    /// Posts that are new on the node.
    pub imported: u64,
    /// Posts that the node had already.
    pub known: u64,
    /// Media uploaded.
    pub media: u64,
    /// Posts that were not public and stay so.
    pub private: u64,
    /// Where those are kept.
    pub private_file: Option<PathBuf>,
    /// What could not be taken.
    pub not_taken: Vec<NotTaken>,
    /// What could be taken only in part.
    pub partial: Vec<NotTaken>,
}

impl Summary {
    pub(super) fn begin(contents: &Contents, private_file: Option<PathBuf>) -> Self {
        Self {
            actor: contents.actor.clone(),
            items: contents.items,
            private: contents.private.len() as u64,
            private_file,
            not_taken: contents.not_taken.clone(),
            partial: contents.partial.clone(),
            ..Self::default()
        }
    }

    /// Takes down that something of a post is missing.
    pub(super) fn note(&mut self, source_url: &str, reason: String) {
        self.partial.push(NotTaken { source_url: source_url.to_owned(), reason });
    }

    /// Nothing is left of a post: what was missing of it becomes the reason why it is not taken.
    pub(super) fn give_up(&mut self, source_url: &str) {
        let (notes, partial) =
            std::mem::take(&mut self.partial).into_iter().partition(|note| note.source_url == source_url);
        self.partial = partial;
        let notes: Vec<NotTaken> = notes;
        let reasons: Vec<String> = notes.into_iter().map(|note| note.reason).collect();
        self.not_taken.push(NotTaken { source_url: source_url.to_owned(), reason: reasons.join("; ") });
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { items, imported, known, media, private, .. } = self;
        writeln!(f, "{items} items in the archive of {}", self.actor.id)?;
        writeln!(f, "{imported} posts imported, with {media} media")?;
        writeln!(f, "{known} posts known already")?;
        write!(f, "{private} posts for followers or single people, not published")?;
        match &self.private_file {
            Some(path) => writeln!(f, "; they are in {}", path.display())?,
            None => f.write_char('\n')?,
        }
        writeln!(f, "{} not taken", self.not_taken.len())?;
        list(f, &self.not_taken)?;
        if !self.partial.is_empty() {
            writeln!(f, "{} not taken as a whole", self.partial.len())?;
            list(f, &self.partial)?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: &[NotTaken]) -> fmt::Result {
    // Both may quote the archive, which must not command the terminal.
    let plain = |text: &str| text.replace(char::is_control, "\u{fffd}");
    items.iter().try_for_each(|item| writeln!(f, "  {}: {}", plain(&item.source_url), plain(&item.reason)))
}
