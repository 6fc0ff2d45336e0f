//! Lambda events of API Gateway, Function URLs and load balancers for Rowstamp.
