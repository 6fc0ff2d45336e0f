//! Callers from authorizer claims and Cognito tokens for Rowstamp.
