//! Size against speed, as an image.

use std::fmt::Write as _;

/// Where a format stands.
pub(super) struct Point {
    pub(super) name: &'static str,
    pub(super) ours: bool,
    /// Bytes a bar.
    pub(super) bytes: f64,
    /// Millions of rows a CPU second.
    pub(super) rate: f64,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 56.0;
/// The least distance of two labels' lines.
const LINE: f64 = 15.0;

/// An SVG whose upper left corner is the best place.
pub(super) fn svg(points: &[Point]) -> String {
    let most = |of: fn(&Point) -> f64| points.iter().map(of).fold(1.0, f64::max);
    let (across, up) = (most(|point| point.bytes) * 1.25, most(|point| point.rate) * 1.1);
    let x = |bytes: f64| LEFT + bytes / across * (WIDTH - LEFT - RIGHT);
    let y = |rate: f64| HEIGHT - BOTTOM - rate / up * (HEIGHT - TOP - BOTTOM);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    for step in (0..).map(|step| f64::from(step) * 5.0).take_while(|step| *step <= across) {
        let at = x(step);
        let _ = writeln!(
            text,
            "<path d=\"M{at:.1} {TOP}V{:.1}\" stroke=\"#e5e5e5\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{step}</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18.0
        );
    }
    for step in (0..).map(|step| f64::from(step) * 20.0).take_while(|step| *step <= up) {
        let at = y(step);
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#e5e5e5\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555\">{step}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#333\">bytes a bar</text>\n\
         <text transform=\"translate(16 {:.1}) rotate(-90)\" text-anchor=\"middle\" fill=\"#333\">million bars a CPU second</text>",
        (LEFT + WIDTH) / 2.0,
        HEIGHT - 14.0,
        HEIGHT / 2.0
    );
    // Labels from above to below, none over another.
    let mut sorted: Vec<&Point> = points.iter().collect();
    sorted.sort_by(|a, b| b.rate.total_cmp(&a.rate));
    let mut labels: Vec<(f64, f64)> = Vec::new();
    for point in sorted {
        let (left, at) = (x(point.bytes), y(point.rate));
        let colour = if point.ours { "#c2410c" } else { "#334155" };
        let mut label = at + 4.0;
        while labels.iter().any(|(x, y)| (x - left).abs() < 190.0 && (y - label).abs() < LINE) {
            label += 1.0;
        }
        labels.push((left, label));
        let _ = writeln!(
            text,
            "<circle cx=\"{left:.1}\" cy=\"{at:.1}\" r=\"5\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{label:.1}\" fill=\"{colour}\">{}</text>",
            left + 9.0,
            point.name
        );
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_there_and_smaller_is_further_left() {
        let points = [
            Point { name: "ours", ours: true, bytes: 2.0, rate: 120.0 },
            Point { name: "theirs", ours: false, bytes: 12.0, rate: 60.0 },
        ];
        let text = svg(&points);
        assert!(text.starts_with("<svg") && text.ends_with("</svg>\n"));
        let at = |name: &str| text.lines().find(|line| line.contains(&format!(">{name}<"))).map(str::to_owned);
        let left = |name: &str| at(name).and_then(|line| line.split('"').nth(1).and_then(|x| x.parse::<f64>().ok()));
        assert!(left("ours") < left("theirs"), "{text}");
    }
}
