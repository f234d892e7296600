//! Tables as aligned Markdown.

/// A table: head, then rows of as many cells.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|it| it.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let cells: Vec<String> = widths
            .iter()
            .zip(cells)
            .enumerate()
            .map(|(place, (&width, cell))| {
                // The first column is words, the others are numbers.
                if place == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            })
            .collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let head: Vec<String> = head.iter().map(|&it| it.to_owned()).collect();
    let rule = widths.iter().enumerate().map(|(place, &width)| {
        if place == 0 {
            "-".repeat(width)
        } else {
            format!("{}:", "-".repeat(width.saturating_sub(1)))
        }
    });
    let mut text = line(&head);
    text.push_str(&line(&rule.collect::<Vec<_>>()));
    for row in rows {
        text.push_str(&line(row));
    }
    text
}

/// A whole number with its thousands apart.
pub fn whole(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds: more digits for what is quick.
pub fn millis(number: f64) -> String {
    if number < 10.0 { format!("{number:.1}") } else { whole(number) }
}

/// How many times.
pub fn times(number: f64) -> String {
    if number < 10.0 { format!("{number:.2}×") } else { format!("{number:.0}×") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_heads() {
        let rows = [vec!["a text".to_owned(), whole(12_345.4)], vec!["b".to_owned(), millis(3.25)]];
        let want = "| what   |  rate/s |\n| ------ | ------: |\n| a text |  12,345 |\n| b      |     3.2 |\n";
        assert_eq!(table(&["what", " rate/s"], &rows), want);
        assert_eq!((whole(999.0), whole(1_000.0)), ("999".to_owned(), "1,000".to_owned()));
        assert_eq!((times(2.0), times(23.4)), ("2.00×".to_owned(), "23×".to_owned()));
    }
}
