//! Tables (`tbl(1)`) to lines.

use super::text::plain;

/// Takes a table's lines to `.TE`, after `.TS`: a line for each row, bars
/// between its cells. What the format says of columns is dropped.
pub(super) fn rows<'a>(lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut rows = String::new();
    let mut in_format = true;
    let mut in_cell = false;
    for line in lines {
        if line.trim_end() == ".TE" {
            break;
        }
        if in_format {
            in_format = !line.trim_end().ends_with('.');
            continue;
        }
        let is_rule = !in_cell && matches!(line.trim(), "_" | "=");
        if is_rule || line.starts_with('.') {
            continue;
        }
        for (at, part) in line.split('\t').enumerate() {
            if at > 0 {
                rows.push_str(" |");
            }
            let closed = part.strip_prefix("T}");
            let part = closed.unwrap_or(part);
            let opened = part.strip_suffix("T{");
            let text = plain(opened.unwrap_or(part));
            if !text.trim().is_empty() {
                if !rows.is_empty() && !rows.ends_with('\n') {
                    rows.push(' ');
                }
                rows.push_str(text.trim());
            }
            in_cell = opened.is_some() || (in_cell && closed.is_none());
        }
        if !in_cell {
            rows.push('\n');
        }
    }
    rows.trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn a_row_is_a_line() {
        let table = "center;\n|l|l|.\n_\nT{\nremote\nend\nT}\tT{\nlocal\nT}\n_\nT{\nabsent\nT}\tT{\n\\-\nT}\n_\na\tb\n.TE\nafter";
        let mut lines = table.lines();
        assert_eq!(rows(&mut lines), "remote end | local\nabsent | -\na | b");
        assert_eq!(lines.next(), Some("after"));
    }

    #[test]
    fn a_table_may_never_end() {
        assert_eq!(rows(&mut "l.\na\tT{\nb".lines()), "a | b");
        assert_eq!(rows(&mut "no format".lines()), "");
    }
}
