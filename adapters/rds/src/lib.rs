//! IAM login and certificate authorities of Amazon RDS for Rowstamp.
