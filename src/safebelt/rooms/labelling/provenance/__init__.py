"""Who stands behind a mark: signatures on labels, and signed manifests."""
