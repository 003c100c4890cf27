//! A chart: the names of its rows, which stay in place, and the drawing, which scrolls where it is wider than the page.

use std::fmt::Write as _;

use serde::Serialize;

use super::calendar::Calendar;
use crate::show::{html, shortened};

/// Height of the line of labels over a drawing.
pub(super) const TOP: i64 = 20;
/// Width of the names.
const NAMES: i64 = 124;
/// Characters of a name that have room.
const NAME_CHARS: usize = 12;

/// The two drawings of a chart and what the style needs to know of them.
#[derive(Debug, Serialize)]
pub(super) struct Frame {
    id: String,
    title: String,
    names: String,
    drawing: String,
    width: i64,
}

impl Frame {
    /// `names` and `drawing` are SVG, `title` and `about` are text.
    pub(super) fn new(id: &str, title: &str, about: &str, names: &str, drawing: &str, width: i64, height: i64) -> Self {
        let names = format!(
            "<svg class=\"names\" width=\"{NAMES}\" height=\"{height}\" viewBox=\"0 0 {NAMES} {height}\" \
             aria-hidden=\"true\">{names}</svg>"
        );
        let drawing = format!(
            "<svg class=\"drawing\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"{id}t {id}d\"><title id=\"{id}t\">{}</title><desc id=\"{id}d\">{}</desc>\n{drawing}</svg>",
            html(title),
            html(about)
        );
        Self { id: id.to_owned(), title: title.to_owned(), names, drawing, width }
    }

    /// On paper nothing scrolls: both drawings shrink alike until they fit.
    pub(super) fn print_style(&self) -> String {
        let (all, id) = (NAMES + self.width, &self.id);
        let share = |part: i64| format!("{}.{:02}%", part * 100 / all, part * 10_000 / all % 100);
        format!(
            "#{id}{{max-width:{all}px}}#{id} .names{{width:{}}}#{id} .drawing{{width:{}}}\n",
            share(NAMES),
            share(self.width)
        )
    }
}

/// The labels of a calendar with a thin line under each, down to `height` below them.
pub(super) fn axis(calendar: &Calendar, height: i64) -> String {
    let mut out = String::new();
    for (column, text) in calendar.ticks() {
        tick(&mut out, column * calendar.step(), &text, height);
    }
    out
}

/// One label at the top with its line.
pub(super) fn tick(out: &mut String, x: i64, text: &str, height: i64) {
    let _ = write!(out, "<path class=\"tick\" d=\"M{x}.5 4v{}\"/>", height + TOP - 4);
    let _ = writeln!(out, "<text class=\"when\" x=\"{}\" y=\"13\">{}</text>", x + 4, html(text));
}

/// The name of a row whose middle is at `y`.
pub(super) fn label(out: &mut String, name: &str, y: i64) {
    let (full, short) = (html(name), html(&shortened(name, NAME_CHARS)));
    let _ =
        writeln!(out, "<text class=\"name\" x=\"{}\" y=\"{}\"><title>{full}</title>{short}</text>", NAMES - 8, y + 4);
}
