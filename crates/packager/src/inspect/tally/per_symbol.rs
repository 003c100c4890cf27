//! Something for every symbol of a file.

use std::collections::HashMap;

/// Most symbols that are told apart; the records of further ones are not looked at.
const MAX_SYMBOLS: usize = 4096;

/// A value for every symbol.
#[derive(Debug)]
pub(super) struct PerSymbol<T> {
    values: Vec<T>,
    places: HashMap<Box<str>, usize>,
    /// The symbol of the last record: mostly that of the next one too.
    current: Option<(Box<str>, usize)>,
}

impl<T> Default for PerSymbol<T> {
    fn default() -> Self {
        Self { values: Vec::new(), places: HashMap::new(), current: None }
    }
}

impl<T: Default> PerSymbol<T> {
    /// The value of a symbol; none where there are too many.
    pub(super) fn of(&mut self, symbol: &str) -> Option<&mut T> {
        let at = match &self.current {
            Some((current, at)) if **current == *symbol => *at,
            _ => self.switch(symbol)?,
        };
        self.values.get_mut(at)
    }

    fn switch(&mut self, symbol: &str) -> Option<usize> {
        let at = match self.places.get(symbol) {
            Some(at) => *at,
            None if self.values.len() >= MAX_SYMBOLS => return None,
            None => {
                self.values.push(T::default());
                self.places.insert(symbol.into(), self.values.len() - 1);
                self.values.len() - 1
            }
        };
        self.current = Some((symbol.into(), at));
        Some(at)
    }

    /// How many symbols there are.
    pub(super) const fn len(&self) -> usize {
        self.values.len()
    }

    /// The values, in the order of the symbols' first appearance.
    pub(super) fn into_values(self) -> Vec<T> {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_has_its_own_up_to_a_limit() {
        let mut counts: PerSymbol<u32> = PerSymbol::default();
        for symbol in ["A", "A", "B", "", "A"] {
            *counts.of(symbol).unwrap() += 1;
        }
        assert_eq!(counts.len(), 3);
        for number in 0..2 * MAX_SYMBOLS {
            let _ = counts.of(&number.to_string());
        }
        assert_eq!(counts.len(), MAX_SYMBOLS);
        assert_eq!(counts.into_values()[..3], [3, 1, 1]);
    }
}
