//! The report's plot, as SVG: for each operation, how many calls a second each does at so many connections.

use std::fmt::Write;

use crate::operation::Operation;
use crate::report::operations;
use crate::statistics::Row;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 64.0;
const LEGEND: f64 = 44.0;
/// The height of an operation: its bars, and what is written above and below them.
const BARS: f64 = 120.0;
const ABOVE: f64 = 34.0;
const BELOW: f64 = 26.0;

/// What databases do by themselves is grey, contenders have colours that those too tell apart who do not see all of them
/// (Okabe and Ito's palette).
const GREYS: [&str; 4] = ["#777777", "#999999", "#bbbbbb", "#d0d0d0"];
const COLOURS: [&str; 7] = ["#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#f0e442"];

pub fn svg(rows: &[Row]) -> String {
    let mut text = String::new();
    // Writing to a text never fails.
    let _ = write(&mut text, rows);
    text
}

fn write(text: &mut String, rows: &[Row]) -> std::fmt::Result {
    let operations = operations(rows);
    let series = series(rows);
    let height = LEGEND + (ABOVE + BARS + BELOW) * operations.len() as f64;
    writeln!(
        text,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">
<style>text {{ fill: #222 }} .line {{ stroke: #888 }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} }}</style>"#
    )?;
    write_legend(text, &series)?;
    for (place, operation) in operations.iter().enumerate() {
        let top = LEGEND + (ABOVE + BARS + BELOW) * place as f64;
        let rows: Vec<&Row> = rows.iter().filter(|row| row.operation == *operation).collect();
        write_operation(text, *operation, &rows, &series, top)?;
    }
    writeln!(text, "</svg>")
}

/// Who is plotted, and in which colour.
struct Series<'a> {
    name: &'a str,
    colour: &'static str,
}

/// What databases do by themselves first.
fn series(rows: &[Row]) -> Vec<Series<'_>> {
    let mut series: Vec<Series> = Vec::new();
    for (contenders, colours) in [(false, &GREYS[..]), (true, &COLOURS[..])] {
        let mut colours = colours.iter().cycle();
        for row in rows.iter().filter(|row| row.server_cpu.is_some() == contenders) {
            if !series.iter().any(|known| known.name == row.who) {
                series.push(Series { name: &row.who, colour: colours.next().unwrap_or(&GREYS[0]) });
            }
        }
    }
    series
}

fn write_legend(text: &mut String, series: &[Series]) -> std::fmt::Result {
    let columns = series.len().div_ceil(2).max(1);
    for (place, Series { name, colour }) in series.iter().enumerate() {
        let x = LEFT + (place % columns) as f64 * (WIDTH - LEFT) / columns as f64;
        let y = 8.0 + (place / columns) as f64 * 18.0;
        writeln!(text, r#"<rect x="{x:.1}" y="{y:.1}" width="12" height="12" fill="{colour}"/>"#)?;
        writeln!(text, r#"<text x="{:.1}" y="{:.1}">{}</text>"#, x + 17.0, y + 10.5, escaped(name))?;
    }
    Ok(())
}

fn write_operation(
    text: &mut String,
    operation: Operation,
    rows: &[&Row],
    series: &[Series],
    top: f64,
) -> std::fmt::Result {
    let mut connections: Vec<usize> = rows.iter().map(|row| row.connections).collect();
    connections.dedup();
    let most = rows.iter().map(|row| row.per_second).fold(1.0, f64::max);
    let (ground, group) = (top + ABOVE + BARS, (WIDTH - LEFT) / connections.len().max(1) as f64);
    writeln!(text, r#"<text x="8" y="{:.1}" font-weight="bold">{operation}</text>"#, top + 14.0)?;
    writeln!(text, r#"<text x="8" y="{:.1}">calls/s</text>"#, top + 30.0)?;
    writeln!(text, r#"<line class="line" x1="{LEFT}" y1="{ground:.1}" x2="{WIDTH}" y2="{ground:.1}"/>"#)?;
    for (place, connections) in connections.iter().enumerate() {
        let left = LEFT + group * place as f64;
        let middle = left + group / 2.0;
        let label =
            if *connections == 1 { "1 connection".to_owned() } else { format!("{connections} connections") };
        writeln!(
            text,
            r#"<text x="{middle:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
            ground + 16.0
        )?;
        let there = || rows.iter().filter(|row| row.connections == *connections);
        // In the legend's order.
        let bars: Vec<(&Series, &&Row)> = series
            .iter()
            .filter_map(|series| Some((series, there().find(|row| row.who == series.name)?)))
            .collect();
        let width = (group - 16.0) / bars.len().max(1) as f64;
        for (place, (series, row)) in bars.iter().enumerate() {
            let x = left + 8.0 + width * place as f64;
            let height = BARS * row.per_second / most;
            writeln!(
                text,
                r#"<rect x="{x:.1}" y="{:.1}" width="{:.1}" height="{height:.1}" fill="{}"><title>{}: {:.0} a second</title></rect>"#,
                ground - height,
                width - 2.0,
                series.colour,
                escaped(&row.who),
                row.per_second,
            )?;
            writeln!(
                text,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="middle" font-size="9">{}</text>"#,
                x + width / 2.0 - 1.0,
                ground - height - 3.0,
                short(row.per_second),
            )?;
        }
    }
    Ok(())
}

/// Two or three digits.
fn short(number: f64) -> String {
    match number {
        small if small < 1_000.0 => format!("{small:.0}"),
        thousands if thousands < 9_950.0 => format!("{:.1}k", thousands / 1e3),
        thousands => format!("{:.0}k", thousands / 1e3),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{self, tests::example};

    #[test]
    fn a_bar_is_as_high_as_its_figure() {
        let (measurements, contenders) = example();
        let svg = svg(&statistics::rows(&measurements, &contenders));
        assert!(svg.contains("height=\"120.0\" fill=\"#0072b2\"><title>a: 1500 a second"), "{svg}");
        assert!(svg.contains("height=\"60.0\" fill=\"#777777\"><title>pgbench: 750 a second"), "{svg}");
        assert!(svg.ends_with("</svg>\n"));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([999.0, 1_240.0, 9_940.0, 54_983.0].map(short), ["999", "1.2k", "9.9k", "55k"]);
    }
}
