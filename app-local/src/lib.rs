//! Rowstamp on your own machine: the rowstamp command.
