//! Figures as they are printed: medians, and how far the rounds were apart.

use anyhow::bail;

/// The middle one.
///
/// # Errors
/// When there is none.
pub fn median(values: &[f64]) -> anyhow::Result<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.get(sorted.len() / 2) {
        Some(value) => Ok(*value),
        None => bail!("no rounds were run"),
    }
}

/// The middle one of a quarter of values from below, and of one from above.
///
/// # Errors
/// When there are none.
pub fn quartiles(values: &[f64]) -> anyhow::Result<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        bail!("no rounds were run");
    };
    Ok((sorted[last / 4], sorted[last - last / 4]))
}

/// The ratio of each round by itself, so that a machine that changes its pace between rounds changes none of them.
pub fn ratios(values: &[f64], to: &[f64]) -> Vec<f64> {
    values.iter().zip(to).map(|(value, to)| value / to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_quarters_are_found() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(median(&values).ok(), Some(3.0));
        assert_eq!(quartiles(&values).ok(), Some((2.0, 4.0)));
        assert_eq!(ratios(&[2.0, 9.0], &[1.0, 3.0]), [2.0, 3.0]);
        assert!(median(&[]).is_err());
    }
}
