//! What may still be spent.

use std::cell::Cell;

use super::error::FetchError;
use super::plan::Month;

/// Sees to it that what has to be bought again keeps within a limit: an answer that came was paid for, whole and right or not.
#[derive(Debug)]
pub(super) struct Purse {
    most: Option<f64>,
    /// What all months cost that are bought, and those that are bought again, once for each time.
    spent: Cell<f64>,
}

/// By how much sums may be off, as limits are compared by the hundredths of a cent that are shown.
const EXACT: f64 = 0.000_05;

impl Purse {
    pub(super) const fn new(most: Option<f64>, cost: f64) -> Self {
        Self { most, spent: Cell::new(cost) }
    }

    /// Takes the price of a month for the next try out, where one follows and data came that were paid for; or makes the failure one that
    /// nothing follows.
    pub(super) fn again(&self, month: &Month, answered: &Cell<bool>, error: FetchError) -> FetchError {
        if !answered.replace(false) {
            return error;
        }
        match (error, self.most) {
            (FetchError::Network { doing, why } | FetchError::Answer { doing, why }, Some(most))
                if self.spent.get() + month.cost > most + EXACT =>
            {
                FetchError::Spent { doing, why, most }
            }
            (error @ (FetchError::Network { .. } | FetchError::Answer { .. }), _) => {
                self.spent.set(self.spent.get() + month.cost);
                error
            }
            (error, _) => error,
        }
    }
}
