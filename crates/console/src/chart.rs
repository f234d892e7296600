//! Lines over time as inline SVG. Colours come from the style sheet; each picture says in words what
//! it shows.

use maud::{Markup, html};

use crate::store::{Plot, Trend, TrendPoint};
use crate::{Span, Vital, words};
use auscult_model::Timestamp;

/// Width and height of a trend line in a row of the ward, in its own units.
pub const IN_A_ROW: (f64, f64) = (180.0, 48.0);
/// Width and height of a trend line on a patient's page.
pub const ON_ITS_OWN: (f64, f64) = (420.0, 84.0);
/// Room left at the sides so that the line's width is not cut.
const MARGIN: f64 = 3.0;
/// NEWS2 totals from which a response is called for (Royal College of Physicians 2017).
const MEDIUM_FROM: f64 = 5.0;
/// The emergency threshold.
const HIGH_FROM: f64 = 7.0;
/// A trend line shows at least this much height, so that a 1 does not look like a peak.
const TREND_TOP_MIN: f64 = 10.0;

/// The NEWS2 trend line: a step at each change, dashed where inputs were missing.
#[must_use]
pub fn trend(trend: &Trend, span: Span, (width, height): (f64, f64)) -> Markup {
    let points = &trend.0;
    let values: Vec<i64> = points.iter().filter_map(|it| it.value).collect();
    let top = values.iter().copied().max().map_or(0.0, float).max(TREND_TOP_MIN);
    let y = |value: f64| height - MARGIN - value / top * (height - 2.0 * MARGIN);
    let ends = points.first().map(|it| it.at).zip(points.last().map(|it| it.at));
    let x = |at: Timestamp| MARGIN + share(at, ends) * (width - 2.0 * MARGIN);
    let last = points.last().and_then(|it| it.value.map(|value| (it.at, value)));
    html! {
        svg.trend-line role="img" viewBox=(format!("0 0 {width} {height}")) aria-label=(said(&values, span)) {
            rect.zone-high x="0" y="0" width=(width) height=(px(y(HIGH_FROM))) {}
            rect.zone-medium x="0" y=(px(y(HIGH_FROM))) width=(width) height=(px(y(MEDIUM_FROM) - y(HIGH_FROM))) {}
            @for (complete, path) in runs(points, &x, &y) {
                path.line.is-partial[!complete] d=(path) {}
            }
            @if let Some((at, value)) = last {
                circle.now cx=(px(x(at))) cy=(px(y(float(value)))) r="3" {}
            }
        }
    }
}

fn said(values: &[i64], span: Span) -> String {
    let span = span.words();
    match (values.first(), values.last(), values.iter().min(), values.iter().max()) {
        (Some(first), Some(last), Some(low), Some(high)) => format!(
            "NEWS2 over the last {span}: from {first} to {last}, lowest {low}, highest {high}"
        ),
        _ => format!("No NEWS2 in the last {span}"),
    }
}

/// One path for each stretch without a gap in which all scores were complete, or none was.
fn runs(
    points: &[TrendPoint],
    x: &impl Fn(Timestamp) -> f64,
    y: &impl Fn(f64) -> f64,
) -> Vec<(bool, String)> {
    let mut runs: Vec<(bool, String)> = Vec::new();
    let mut before: Option<&TrendPoint> = None;
    for point in points {
        if let Some(value) = point.value {
            let (px_x, px_y) = (px(x(point.at)), px(y(float(value))));
            match before.and_then(|it| it.value.map(|value| (it, value))) {
                Some((it, _)) if it.complete == point.complete => {
                    if let Some((_, path)) = runs.last_mut() {
                        path.push_str(&format!("H{px_x}V{px_y}"));
                    }
                }
                Some((it, was)) => {
                    let start = format!("M{} {}", px(x(it.at)), px(y(float(was))));
                    runs.push((point.complete, format!("{start}H{px_x}V{px_y}")));
                }
                None => runs.push((point.complete, format!("M{px_x} {px_y}"))),
            }
        }
        before = Some(point);
    }
    runs
}

/// Size of a chart of one vital sign.
const CHART: (f64, f64) = (600.0, 180.0);
/// Where its plot begins and ends: left, right, top, bottom.
const FRAME: (f64, f64, f64, f64) = (52.0, 592.0, 12.0, 146.0);

/// One vital sign over the span: a line broken at gaps, the range that scores 0 shaded, a cross where
/// a reading was not to be believed.
#[must_use]
pub fn vital(plot: &Plot, span: Span, now: Timestamp) -> Markup {
    let (width, height) = CHART;
    let (left, right, top, bottom) = FRAME;
    let start = now.plus_ms(-span.ms());
    let (low, high) = bounds(plot);
    let y = |value: f64| bottom - (value - low) / (high - low) * (bottom - top);
    let x = |at: Timestamp| left + share(at, Some((start, now))).clamp(0.0, 1.0) * (right - left);
    let zero = plot.vital.zero_range().map(|(from, to)| (from.max(low), to.min(high)));
    let crosses = plot.cells.iter().filter(|it| it.value.is_none());
    let ticks = [low, f64::midpoint(low, high), high];
    let middle = start.plus_ms(span.ms() / 2);
    html! {
        svg.chart role="img" viewBox=(format!("0 0 {width} {height}")) aria-label=(described(plot, span)) {
            @if let Some((from, to)) = zero.filter(|(from, to)| from < to) {
                rect.zero-range x=(left) y=(px(y(to))) width=(right - left) height=(px(y(from) - y(to))) {}
            }
            @for tick in ticks {
                line.grid x1=(left) x2=(right) y1=(px(y(tick))) y2=(px(y(tick))) {}
                text.tick x=(left - 6.0) y=(px(y(tick) + 6.0)) text-anchor="end" { (short(tick)) }
            }
            @for (at, anchor) in [(start, "start"), (middle, "middle"), (now, "end")] {
                text.tick x=(px(x(at))) y=(height - 6.0) text-anchor=(anchor) {
                    @if at == now { "now" } @else { "−" (words::age(at, now)) }
                }
            }
            @for (upper, lower) in lines(plot, &x, &y, cell_gap_ms(span)) {
                path.line d=(upper) {}
                @if !lower.is_empty() { path.line.is-lower d=(lower) {} }
            }
            @for cross in crosses {
                text.cross x=(px(x(cross.at))) y=(px(bottom - 2.0)) text-anchor="middle" { "×" }
            }
        }
    }
}

/// Readings further apart than this are not joined: four cells, and never less than the longest pause
/// of a spot device in the shortest span.
const fn cell_gap_ms(span: Span) -> i64 {
    span.ms() / 3
}

fn lines(
    plot: &Plot,
    x: &impl Fn(Timestamp) -> f64,
    y: &impl Fn(f64) -> f64,
    gap_ms: i64,
) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut before: Option<Timestamp> = None;
    for cell in &plot.cells {
        let Some((upper, lower)) = cell.value else { continue };
        let joined = before.is_some_and(|it| cell.at.since_ms(it) <= gap_ms);
        if !joined {
            lines.push((String::new(), String::new()));
        }
        before = Some(cell.at);
        let Some((upper_path, lower_path)) = lines.last_mut() else { continue };
        let step = |path: &mut String, value: f64| {
            let command = if path.is_empty() { 'M' } else { 'L' };
            // A single reading is a line of no length, which round caps draw as a dot.
            let point = format!("{} {}", px(x(cell.at)), px(y(value)));
            let dot = if path.is_empty() { format!("L{point}") } else { String::new() };
            path.push_str(&format!("{command}{point}{dot}"));
        };
        step(upper_path, upper);
        if let Some(lower) = lower {
            step(lower_path, lower);
        }
    }
    lines
}

/// The values shown, with air above and below, never flatter than the vital sign deserves.
fn bounds(plot: &Plot) -> (f64, f64) {
    let values = || {
        let pairs = plot.cells.iter().filter_map(|it| it.value);
        pairs.flat_map(|(upper, lower)| [Some(upper), lower]).flatten()
    };
    let (low, high) = match plot.vital {
        Vital::RespirationRate => (8.0, 26.0),
        Vital::Spo2 => (88.0, 100.0),
        Vital::Oxygen => (0.0, 8.0),
        Vital::BloodPressure => (50.0, 150.0),
        Vital::Pulse => (50.0, 120.0),
        Vital::Temperature => (35.5, 39.0),
        Vital::Consciousness => (0.0, 1.0),
    };
    let low = values().fold(low, f64::min);
    let high = values().fold(high, f64::max);
    (low.floor(), high.ceil())
}

fn described(plot: &Plot, span: Span) -> String {
    let label = plot.vital.name();
    let span = span.words();
    let upper = || plot.cells.iter().filter_map(|it| it.value).map(|(upper, _)| upper);
    let n_crosses = plot.cells.iter().filter(|it| it.value.is_none()).count();
    let doubted = match n_crosses {
        0 => String::new(),
        n => format!("; {n} readings were not to be believed"),
    };
    match upper().last() {
        Some(last) => format!(
            "{label} over the last {span}: latest {}, lowest {}, highest {}{doubted}",
            short(last),
            short(upper().fold(f64::MAX, f64::min)),
            short(upper().fold(f64::MIN, f64::max)),
        ),
        None => format!("{label}: nothing to be believed in the last {span}{doubted}"),
    }
}

/// Where an instant lies between two others, from 0 to 1.
fn share(at: Timestamp, ends: Option<(Timestamp, Timestamp)>) -> f64 {
    match ends {
        Some((start, end)) if start < end => float(at.since_ms(start)) / float(end.since_ms(start)),
        _ => 1.0,
    }
}

/// A coordinate with one decimal: a tenth of a pixel is finer than any screen.
fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// A value without needless decimals.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[expect(clippy::cast_precision_loss, reason = "scores and milliseconds of a day, far below 2^53")]
const fn float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PlotCell;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_ms(second * 1_000)
    }

    fn points(values: &[(Option<i64>, bool)]) -> Trend {
        let each = values.iter().zip(0..);
        Trend(
            each.map(|((value, complete), s)| TrendPoint {
                at: at(s),
                value: *value,
                complete: *complete,
            })
            .collect(),
        )
    }

    #[test]
    fn a_gap_breaks_the_trend_line_and_a_lower_bound_is_dashed() {
        let rows = [
            (points(&[(Some(1), true), (Some(2), true)]), 1, 0),
            (points(&[(Some(1), true), (None, true), (Some(2), true)]), 2, 0),
            (points(&[(Some(1), true), (Some(2), false), (Some(2), false)]), 2, 1),
            (points(&[(None, true)]), 0, 0),
            (points(&[]), 0, 0),
        ];
        for (line, n_paths, n_dashed) in rows {
            let drawn = trend(&line, Span::Hour, IN_A_ROW).into_string();
            assert_eq!(drawn.matches("<path").count(), n_paths, "{line:?}");
            assert_eq!(drawn.matches("is-partial").count(), n_dashed, "{line:?}");
        }
    }

    #[test]
    fn a_trend_says_in_words_what_it_draws() {
        let drawn = trend(
            &points(&[(Some(2), true), (Some(9), true), (Some(7), true)]),
            Span::Hour,
            IN_A_ROW,
        );
        let want = "NEWS2 over the last hour: from 2 to 7, lowest 2, highest 9";
        assert!(drawn.into_string().contains(want));
    }

    #[test]
    fn a_reading_not_to_be_believed_is_a_cross_and_never_a_value() {
        let cells = vec![
            PlotCell { at: at(3_000), value: Some((72.0, None)) },
            PlotCell { at: at(3_100), value: None },
            PlotCell { at: at(3_200), value: Some((74.0, None)) },
        ];
        let drawn =
            vital(&Plot { vital: Vital::Pulse, cells }, Span::Hour, at(3_600)).into_string();
        assert_eq!(drawn.matches('×').count(), 1);
        assert!(drawn.contains("latest 74, lowest 72, highest 74; 1 readings"));
    }
}
