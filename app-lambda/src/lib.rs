//! Rowstamp on AWS Lambda.
