//! Instructions and allocations of a program, counted by valgrind: the same for the same program and input, however busy the machine is.
//!
//! Only what the program itself does is counted; the kernel and other processes are not.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// What one run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Instructions carried out.
    pub instructions: u64,
    /// Blocks of memory asked for.
    pub allocations: u64,
}

/// Whether valgrind is there.
pub fn is_installed() -> bool {
    Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Counts one run of `program`.
///
/// # Errors
/// When it fails, with what it said.
pub fn count(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Taken> {
    let instructions = run(
        "callgrind",
        "--callgrind-out-file=/dev/null",
        program,
        arguments,
        variables,
    )?;
    let allocations = run("dhat", "--dhat-out-file=/dev/null", program, arguments, variables)?;
    Ok(Taken {
        instructions: number_after(&instructions, "Collected :")?,
        allocations: number_after(&allocations, " bytes in ")?,
    })
}

fn run(
    tool: &str,
    output: &str,
    program: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> anyhow::Result<String> {
    let run = Command::new("valgrind")
        .arg(format!("--tool={tool}"))
        .arg(output)
        .arg(program)
        .args(arguments)
        .envs(variables.iter().copied())
        // Which variants of memory functions the C library chooses depends on the processor, and counts with it.
        .env(
            "GLIBC_TUNABLES",
            "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-ERMS,-FSRM",
        )
        .output()
        .context("valgrind")?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    ensure!(run.status.success(), "{tool}: {said}");
    Ok(said)
}

/// The number behind the first of these words.
fn number_after(text: &str, words: &str) -> anyhow::Result<u64> {
    let rest = text
        .split_once(words)
        .with_context(|| format!("valgrind does not say `{words}`: {text}"))?
        .1;
    let digits: String = rest
        .trim_start()
        .chars()
        .take_while(|character| character.is_ascii_digit() || *character == ',')
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().context(words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_behind_their_words() {
        let callgrind = "==1== Events    : Ir\n==1== Collected : 25988412\n==1==\n";
        let dhat =
            "==1== Total:     1,234,567 bytes in 8,901 blocks\n==1== At t-gmax: 10 bytes in 2 blocks\n";
        assert_eq!(number_after(callgrind, "Collected :").ok(), Some(25_988_412));
        assert_eq!(number_after(dhat, " bytes in ").ok(), Some(8_901));
        assert!(number_after(dhat, "Collected :").is_err());
    }
}
