//! `Index`: rows of one pane kept sorted, so that a change of one row costs that row alone.

use std::collections::BTreeMap;

use super::row::{Row, RowId};

/// Rows by id and in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Index<R> {
    rows: BTreeMap<RowId, R>,
    order: Vec<RowId>,
    revision: u64,
    /// How many rows have each mark.
    counts: [usize; 16],
}

impl<R> Default for Index<R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), order: Vec::new(), revision: 0, counts: [0; 16] }
    }
}

impl<R: Row> Index<R> {
    /// The row of `id`.
    pub fn get(&self, id: &RowId) -> Option<&R> {
        self.rows.get(id)
    }

    /// Ids in order.
    pub fn order(&self) -> &[RowId] {
        &self.order
    }

    /// Rows in order.
    pub fn iter(&self) -> impl Iterator<Item = &R> {
        self.order.iter().filter_map(|id| self.rows.get(id))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Ids from `start` on, in the order of ids.
    pub fn ids_from<'a>(&'a self, start: &'a RowId) -> impl Iterator<Item = &'a RowId> {
        self.rows.range(start..).map(|(id, _)| id)
    }

    /// Grows with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many rows have the mark of this bit.
    pub fn count(&self, bit: u8) -> usize {
        self.counts.get(usize::from(bit)).copied().unwrap_or(0)
    }

    fn tally(&mut self, marks: u16, grows: bool) {
        for (bit, count) in self.counts.iter_mut().enumerate() {
            if marks >> bit & 1 == 1 {
                *count = if grows { *count + 1 } else { count.saturating_sub(1) };
            }
        }
    }

    /// Puts a row where it belongs, in place of the one with its id.
    pub fn set(&mut self, row: R) {
        let id = row.id();
        if let Some(old) = self.rows.get(&id) {
            if *old == row {
                return;
            }
            let (marks, stays) = (old.marks(), old.order() == row.order());
            self.tally(marks, false);
            if stays {
                self.tally(row.marks(), true);
                self.rows.insert(id, row);
                self.revision += 1;
                return;
            }
            self.unlist(&id);
        }
        let at = self.place(&row.order(), &id);
        self.order.insert(at, id.clone());
        self.tally(row.marks(), true);
        self.rows.insert(id, row);
        self.revision += 1;
    }

    /// Takes the row of `id` away.
    pub fn remove(&mut self, id: &RowId) {
        if let Some(marks) = self.rows.get(id).map(Row::marks) {
            self.tally(marks, false);
            self.unlist(id);
            self.rows.remove(id);
            self.revision += 1;
        }
    }

    /// Replaces all rows.
    pub fn rebuild(&mut self, rows: impl IntoIterator<Item = R>) {
        let mut keyed: Vec<(R::Order, RowId)> = Vec::new();
        self.rows.clear();
        for row in rows {
            keyed.push((row.order(), row.id()));
            self.rows.insert(row.id(), row);
        }
        self.counts = [0; 16];
        let marks: Vec<u16> = self.rows.values().map(Row::marks).collect();
        for marks in marks {
            self.tally(marks, true);
        }
        keyed.sort();
        keyed.dedup_by(|a, b| a.1 == b.1);
        self.order = keyed.into_iter().map(|(_, id)| id).collect();
        self.revision += 1;
    }

    fn place(&self, order: &R::Order, id: &RowId) -> usize {
        self.order.partition_point(|other| {
            self.rows.get(other).is_some_and(|row| {
                let own = row.order();
                own < *order || (own == *order && other < id)
            })
        })
    }

    fn unlist(&mut self, id: &RowId) {
        let at = match self.rows.get(id) {
            Some(row) => self.place(&row.order(), id),
            None => return,
        };
        if self.order.get(at) == Some(id) {
            self.order.remove(at);
        } else {
            self.order.retain(|other| other != id);
        }
    }
}
