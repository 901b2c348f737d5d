//! Threads: what a status answers, and what answers it.

use redb::ReadableTable;
use xom_protocol::Did;

use super::{Read, Reader, Viewer};
use crate::model::{Context, StatusId};
use crate::private::FilterContext;
use crate::views::row::flags;
use crate::views::tables;

/// Most statuses shown above one.
const ANCESTORS_MAX: usize = 4_096;
/// Most statuses shown below one.
const DESCENDANTS_MAX: usize = 4_096;

impl Reader {
    /// The thread around a status.
    pub fn context(&self, viewer: Option<&Did>, id: StatusId) -> Read<Option<Context>> {
        let viewer = self.optional_viewer(viewer)?;
        let Some(row) = self.status_row(id.0)?.filter(|row| row.flags & flags::REPOST == 0) else {
            return Ok(None);
        };
        let mut context = Context::default();
        self.add_ancestors(viewer.as_ref(), id.0, &mut context)?;
        self.add_descendants(viewer.as_ref(), row.entry.0, &mut context)?;
        Ok(Some(context))
    }

    fn add_ancestors(&self, viewer: Option<&Viewer>, status: u64, context: &mut Context) -> Read<()> {
        let mut below = status;
        while context.ancestors.len() < ANCESTORS_MAX {
            let Some(target) = self.status_row(below)?.and_then(|row| row.target) else { break };
            let Some(parent) = self.status_of_entry(&target.0)? else { break };
            let Some(row) = self.status_row(parent.0)?.filter(|row| row.flags & flags::REPOST == 0) else { break };
            context.ancestors.extend(self.listed(viewer, parent.0, &row, FilterContext::Thread)?);
            below = parent.0;
        }
        context.ancestors.reverse();
        Ok(())
    }

    /// Depth first, the answers to one status by their ids; an explicit stack, since a thread may be
    /// any depth.
    fn add_descendants(&self, viewer: Option<&Viewer>, entry: [u8; 32], context: &mut Context) -> Read<()> {
        let children = self.table(tables::CHILDREN)?;
        let mut open = self.children_of(&children, &entry)?;
        while let Some(status) = open.pop() {
            if context.descendants.len() >= DESCENDANTS_MAX {
                break;
            }
            let Some(row) = self.status_row(status)? else { continue };
            // What answers somebody blocked is still shown, unless its author is blocked too.
            context.descendants.extend(self.listed(viewer, status, &row, FilterContext::Thread)?);
            open.extend(self.children_of(&children, &row.entry.0)?);
        }
        Ok(())
    }

    /// The answers to an entry, the oldest last, so that it is taken first.
    fn children_of(
        &self,
        children: &impl ReadableTable<(&'static [u8; 32], u64), ()>,
        entry: &[u8; 32],
    ) -> Read<Vec<u64>> {
        let mut answers = Vec::new();
        for row in children.range((entry, 0)..=(entry, u64::MAX))?.rev().take(DESCENDANTS_MAX) {
            answers.push(row?.0.value().1);
        }
        Ok(answers)
    }
}
