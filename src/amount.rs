//! Numbers and bytes as people read them.

/// "1,204 rows", "1 row".
pub fn counted(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", thousands(number as u64), if number == 1 { "" } else { "s" })
}

/// 1204331 as "1,204,331".
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes as kB, MB, GB or TB, in powers of 1000.
pub fn bytes(number: u64) -> String {
    if number < 1000 {
        return format!("{number} bytes");
    }
    let mut value = number as f64;
    for unit in ["kB", "MB", "GB"] {
        value /= 1000.0;
        // What would be printed as 1000 belongs to the next unit.
        if value < 9.95 {
            return format!("{value:.1} {unit}");
        }
        if value < 999.5 {
            return format!("{value:.0} {unit}");
        }
    }
    format!("{:.1} TB", value / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_for_people() {
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(1000, "row"), "1,000 rows");
        assert_eq!(thousands(1_204_331), "1,204,331");
        assert_eq!(thousands(999), "999");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(16_384), "16 kB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(bytes(3_100_000_000_000), "3.1 TB");
    }
}
