//! Import of what other networks give their users to take away.
//!
//! Reading an archive is apart from submitting it: the reader knows neither HTTP nor the node.
