//! Results as the XML that build servers read: a `testsuite` for each file, a `testcase` for each
//! test, a `failure` in those that failed.

use super::Ran;
use std::fmt::Write as _;

/// The whole document.
pub fn report(ran: &[Ran]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "<testsuites {}>", counts(ran));
    for tests in ran.chunk_by(|a, b| a.file == b.file) {
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" {}>",
            escape(&tests[0].file),
            counts(tests)
        );
        tests.iter().for_each(|test| case(&mut text, test));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn counts(ran: &[Ran]) -> String {
    let failed = ran.iter().filter(|test| test.failure.is_some()).count();
    let seconds: f64 = ran.iter().map(|test| test.time.as_secs_f64()).sum();
    format!("tests=\"{}\" failures=\"{failed}\" time=\"{seconds:.3}\"", ran.len())
}

fn case(text: &mut String, test: &Ran) {
    let _ = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        escape(&test.file),
        escape(&test.name),
        test.time.as_secs_f64()
    );
    let Some(failure) = &test.failure else {
        text.push_str("/>\n");
        return;
    };
    let message = escape(failure.lines().next().unwrap_or_default());
    let _ = writeln!(
        text,
        ">\n      <failure message=\"{message}\">{}</failure>\n    </testcase>",
        escape(failure)
    );
}

/// The text as it may stand in an element or an attribute. What XML has no way to write at all
/// becomes a question mark.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn ran(file: &str, name: &str, failure: Option<&str>) -> Ran {
        Ran {
            file: file.to_owned(),
            name: name.to_owned(),
            time: Duration::from_millis(250),
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn tests_stand_under_their_files() {
        let tests = [
            ran("a.sx", "adds", None),
            ran("a.sx", "<less>", Some("wanted \"1\" & 2\n\u{1b}more")),
            ran("b.sx", "adds", None),
        ];
        assert_eq!(
            report(&tests),
            "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites tests=\"3\" failures=\"1\" time=\"0.750\">
  <testsuite name=\"a.sx\" tests=\"2\" failures=\"1\" time=\"0.500\">
    <testcase classname=\"a.sx\" name=\"adds\" time=\"0.250\"/>
    <testcase classname=\"a.sx\" name=\"&lt;less&gt;\" time=\"0.250\">
      <failure message=\"wanted &quot;1&quot; &amp; 2\">wanted &quot;1&quot; &amp; 2\n?more</failure>
    </testcase>
  </testsuite>
  <testsuite name=\"b.sx\" tests=\"1\" failures=\"0\" time=\"0.250\">
    <testcase classname=\"b.sx\" name=\"adds\" time=\"0.250\"/>
  </testsuite>
</testsuites>
"
        );
    }
}
