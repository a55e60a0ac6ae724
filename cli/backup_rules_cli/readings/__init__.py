"""A reading: what AWS answered while an account was judged, kept so that somebody without access can look as well."""
